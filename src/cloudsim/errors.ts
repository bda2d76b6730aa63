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

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get http(): number {
    return HTTP[this.code];
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(HTTP, text);
}
