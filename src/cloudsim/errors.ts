/** Every refusal the simulated cloud can answer, with the HTTP status it travels in. The status alone tells a client little, as in real clouds. */
const HTTP = {
  BadRequest: 400,
  Unsupported: 400,
  SpotPriceTooLow: 400,
  Unauthorized: 401,
  PaymentRequired: 402,
  Forbidden: 403,
  QuotaExceeded: 403,
  NotFound: 404,
  IdempotentParameterMismatch: 409,
  IdempotentInstanceTerminated: 409,
  IncorrectState: 409,
  InsufficientCapacity: 422,
  RateLimited: 429,
  InternalError: 500,
  Maintenance: 503,
} as const;

export type ErrorCode = keyof typeof HTTP;

export class ApiError extends Error {
  readonly code: ErrorCode;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** What the imitated cloud itself calls it, where `code` is not enough; each wire has a usual name for every code. */
  readonly native: string | undefined;

  constructor(code: ErrorCode, message: string, more: { readonly retryAfter?: number; readonly native?: string } = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.retryAfter = more.retryAfter;
    this.native = more.native;
  }

  /** Headers of the answer that tells of it. */
  get headers(): Readonly<Record<string, string>> {
    return this.retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(this.retryAfter)) };
  }

  get http(): number {
    return HTTP[this.code];
  }
}

export function refuseIf(wrong: boolean, code: ErrorCode, message: string): void {
  if (wrong) throw new ApiError(code, message);
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(HTTP, text);
}
