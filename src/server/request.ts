/** What a request asks for, parsed strictly: a mistyped parameter must not be answered with another log than was meant. */
export const LOGS_GROUP = 'logs.sky-operator.dev';
export const ROOT = `/apis/${LOGS_GROUP}`;
export const VERSION = 'v1alpha1';

export interface LogTarget {
  readonly namespace: string;
  readonly name: string;
}

export interface LogQuery {
  readonly follow: boolean;
  /** Last lines of each rank. */
  readonly tailLines: number | undefined;
  readonly rank: number | undefined;
  readonly attempt: number | undefined;
  /** Bytes of the rank's log to leave out. */
  readonly sinceOffset: number | undefined;
}

/** A parameter that cannot be honoured; the message names it. */
export class BadParameter extends Error {
  override readonly name = 'BadParameter';
}

const NAME = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?';
const LOG_PATH = new RegExp(`^${ROOT}/${VERSION}/namespaces/(${NAME})/skyjobs/(${NAME})/log$`);

/** Undefined for every other path. */
export function logTargetOf(path: string): LogTarget | undefined {
  const [, namespace, name] = LOG_PATH.exec(path) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}

const RANGES = {
  tailLines: [0, 10_000],
  rank: [0, 999],
  attempt: [1, 1_000_000],
  sinceOffset: [0, Number.MAX_SAFE_INTEGER],
} as const;

/** Throws BadParameter. */
export function logQueryOf(parameters: URLSearchParams): LogQuery {
  for (const name of parameters.keys()) {
    if (name !== 'follow' && !(name in RANGES))
      throw new BadParameter(`${name}: unknown; known are follow, ${Object.keys(RANGES).join(', ')}`);
    if (parameters.getAll(name).length > 1) throw new BadParameter(`${name}: given more than once`);
  }
  const integer = (name: keyof typeof RANGES) => integerOf(name, parameters.get(name));
  const query = {
    follow: booleanOf('follow', parameters.get('follow')),
    tailLines: integer('tailLines'),
    rank: integer('rank'),
    attempt: integer('attempt'),
    sinceOffset: integer('sinceOffset'),
  };
  if (query.sinceOffset === undefined) return query;
  if (query.rank === undefined) throw new BadParameter('sinceOffset: needs rank, for each rank has a log of its own');
  if (query.tailLines !== undefined) throw new BadParameter('sinceOffset: not together with tailLines');
  return query;
}

function integerOf(name: keyof typeof RANGES, text: string | null): number | undefined {
  if (text === null) return undefined;
  const [least, most] = RANGES[name];
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new BadParameter(`${name}: must be an integer from ${least} to ${most}`);
  return value;
}

function booleanOf(name: string, text: string | null): boolean {
  if (text !== null && text !== 'true' && text !== 'false') throw new BadParameter(`${name}: must be true or false`);
  return text === 'true';
}
