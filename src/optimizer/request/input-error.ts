export type InputCode =
  | 'Exclusive'
  | 'Nested'
  | 'Format'
  | 'Range'
  | 'Enum'
  | 'AmbiguousAccelerator'
  | 'UnknownVendor'
  | 'Cycle'
  | 'UnknownStage'
  | 'DuplicateStage';

/** What is wrong with one field of a request. `field` is its path, `message` says what is wrong and what to write instead. */
export class InputError extends Error {
  readonly field: string;
  readonly code: InputCode;

  constructor(field: string, code: InputCode, message: string) {
    super(message);
    this.name = 'InputError';
    this.field = field;
    this.code = code;
  }
}

const MAX_SHOWN = 64;

/** A value as it appears in a message. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `"${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}"`;
}
