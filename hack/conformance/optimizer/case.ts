/** One case of a conformance file. */
export interface Case {
  readonly name: string;
  readonly kind: string;
  readonly field?: string;
  readonly catalog?: string;
  // Every kind has its own shape; each reader knows its own.
  readonly request: Fields;
  readonly expect: Fields;
  readonly [option: string]: unknown;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Reads named price catalogs. */
export interface Catalogs {
  /** CSV text by SkyCloud name. */
  readonly of: (name: string) => ReadonlyMap<string, string>;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Without what is null or undefined. */
export function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
