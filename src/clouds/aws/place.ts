/** How a machine is called outside of EC2, whose own ids do not tell the region. */
const ID = /^([a-z]{2}(?:-[a-z]+)+-\d)\/(i-[\w-]+)$/;

export interface Place {
  readonly region: string;
  /** EC2's own id. */
  readonly instance: string;
}

/** `us-east-1/i-0abc`. */
export function nodeId({ region, instance }: Place): string {
  return `${region}/${instance}`;
}

/** Undefined for what cannot be a machine of EC2. */
export function placeOf(id: string): Place | undefined {
  const [, region, instance] = ID.exec(id) ?? [];
  return region === undefined || instance === undefined ? undefined : { region, instance };
}

/** Ids of machines by region; what cannot be one is left out. */
export function byRegion(ids: readonly string[]): Map<string, Place[]> {
  return Map.groupBy(
    ids.flatMap((id) => placeOf(id) ?? []),
    (place) => place.region,
  );
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
