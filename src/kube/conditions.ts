/** metav1.Condition. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  /** RFC 3339, seconds. Moves only when `status` flips. */
  readonly lastTransitionTime: string;
  /** CamelCase, never empty. */
  readonly reason: string;
  /** At most 1 024 characters. */
  readonly message: string;
}

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

const MAX_MESSAGE = 1_024;

/**
 * The conditions to write: `wanted` with the transition times of `previous` where the status is the same, sorted by type, Ready
 * last. What is not wanted is left out. `nowMs` is Unix milliseconds.
 */
export function conditionsOf(
  previous: readonly Condition[] | undefined,
  wanted: readonly NewCondition[],
  nowMs: number,
): Condition[] {
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return wanted
    .map((condition) => {
      const before = previous?.find((old) => old.type === condition.type && old.status === condition.status);
      const message = Array.from(condition.message).slice(0, MAX_MESSAGE).join('');
      return { ...condition, message, lastTransitionTime: before?.lastTransitionTime ?? now };
    })
    .sort(byTypeReadyLast);
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

function byTypeReadyLast(a: Condition, b: Condition): number {
  if (a.type === 'Ready' || b.type === 'Ready') return Number(a.type === 'Ready') - Number(b.type === 'Ready');
  return a.type < b.type ? -1 : Number(a.type > b.type);
}
