/** A refusal of the API server, or an answer that never came (code 0). Carries no header, no body: either may hold a secret. */
export class KubeError extends Error {
  /** HTTP status, or 0 when no answer arrived: then it is unknown whether a write happened. */
  readonly code: number;
  /** metav1.Status reason, such as `AlreadyExists`; `NoAnswer` for code 0. */
  readonly reason: string;
  readonly causes: readonly KubeCause[];
  readonly retryAfterSeconds: number | undefined;

  constructor(what: KubeFault, options?: ErrorOptions) {
    super(what.message, options);
    this.name = 'KubeError';
    this.code = what.code;
    this.reason = what.reason;
    this.causes = what.causes ?? [];
    this.retryAfterSeconds = what.retryAfterSeconds;
  }
}

export interface KubeCause {
  readonly field?: string;
  readonly message?: string;
  readonly reason?: string;
}

export interface KubeFault {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly KubeCause[];
  readonly retryAfterSeconds?: number;
}

/** A metav1.Status as it comes over the wire; every field may be missing. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly KubeCause[]; readonly retryAfterSeconds?: number };
}

/** Reads the body of a failed call; a body that is no Status (a proxy's page) is not quoted. */
export function kubeErrorOf(code: number, body: string, retryAfter?: string): KubeError {
  const status = parseStatus(body);
  const retryAfterSeconds = status.details?.retryAfterSeconds ?? secondsOf(retryAfter);
  return new KubeError({
    code,
    reason: status.reason ?? `Http${code}`,
    message: status.message ?? `The API server answered ${code}`,
    ...(status.details?.causes ? { causes: status.details.causes } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

export function isKubeError(error: unknown, ...codes: readonly number[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

export const isNotFound = (error: unknown): error is KubeError => isKubeError(error, 404);
export const isAlreadyExists = (error: unknown): error is KubeError =>
  isKubeError(error, 409) && error.reason === 'AlreadyExists';
export const isConflict = (error: unknown): error is KubeError =>
  isKubeError(error, 409) && error.reason !== 'AlreadyExists';

function parseStatus(body: string): Status {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
      ? (value as Status)
      : {};
  } catch {
    return {};
  }
}

function secondsOf(retryAfter: string | undefined): number | undefined {
  return retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
}
