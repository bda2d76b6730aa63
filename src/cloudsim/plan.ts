import { draw } from './draw.ts';
import { ApiError, isErrorCode } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { shaped } from './shape.ts';

/** The places a call passes, in order; `boot` is passed by a machine instead. */
const EDGES = ['received', 'validated', 'committed', 'answered', 'delivered', 'boot'] as const;
export type Edge = (typeof EDGES)[number];

/** Answers that lose their end, are somebody else's, or are of another kind; those without a name of their own replace the body. */
export const REPLACED: ReadonlyMap<string, string> = new Map([
  ['empty', ''],
  ['blank', ' \n\t'],
  ['null', 'null'],
  ['zero', '0'],
  ['false', 'false'],
  ['wrong-type', '"yes"'],
  ['empty-list', '[]'],
  ['empty-object', '{}'],
  ['list-of-null', '[null]'],
  ['prototype', '{"__proto__": {"admin": true}, "constructor": 1}'],
  ['not-a-number', '{"items": NaN}'],
  ['deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['html-200', '<!doctype html><html><body>Sign in to the network</body></html>'],
  ['other-xml', '<?xml version="1.0"?><Fault><Code>0</Code></Fault>'],
  ['binary', '\u0000\u0001\ufffd\u0007'],
  ['text', 'OK'],
]);
/** Shares of the answer that arrive. */
export const CUTS: ReadonlyMap<string, number> = new Map([
  ['cut-json', 0.5],
  ['cut-10', 0.1],
  ['cut-90', 0.9],
  ['cut-last', 1],
]);
const CORRUPTIONS = [...REPLACED.keys(), ...CUTS.keys(), 'html-502', 'gzip-bomb', 'slow-bytes', 'oversize'] as const;
export type Corruption = string;

const BOOT_FAULTS = ['never-running', 'no-sshd', 'wrong-key', 'foreign-host-key', 'missing-gpu', 'bad-gpu'] as const;
export type BootFault = (typeof BOOT_FAULTS)[number];

/** What a rule does where it matches. */
export type Action =
  | { readonly kind: 'delay'; readonly ms: number }
  /** The message is lost here: the caller hears nothing. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'fail'; readonly code: ErrorCode; readonly message: string; readonly native?: string }
  /** The call arrives twice. */
  | { readonly kind: 'duplicate' }
  /** Accepted and never executed. */
  | { readonly kind: 'ignore' }
  | { readonly kind: 'corrupt'; readonly how: Corruption }
  | { readonly kind: 'boot-fault'; readonly how: BootFault };

export interface Rule {
  readonly match: {
    readonly op?: string;
    readonly region?: string;
    /** Exact, or a prefix that ends in `*`. */
    readonly name?: string;
    /** The nth call that matches the rest, from 1; absent: all. */
    readonly nth?: number;
    /** 0…1, drawn by (seed, op, name, nth). */
    readonly prob?: number;
  };
  readonly edge: Edge;
  readonly action: Action;
}

/** What a rule can match. `sequence` numbers the calls of one op and name, for the draw. */
export interface Subject {
  readonly op: string;
  readonly region?: string;
  readonly name?: string;
  readonly sequence: number;
}

export class Plan {
  readonly #seed: number;
  #rules: readonly { readonly rule: Rule; seen: number }[] = [];

  constructor(seed: number) {
    this.#seed = seed;
  }

  replace(rules: readonly Rule[]): void {
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
  }

  /** Actions for a subject that is at `edge`. Counts the match, so it is asked once per subject and edge. */
  at(edge: Edge, subject: Subject): Action[] {
    const hits = this.#rules.filter((entry) => entry.rule.edge === edge && matches(entry.rule, subject));
    return hits.filter((entry) => this.#strikes(entry, subject)).map((entry) => entry.rule.action);
  }

  #strikes(entry: { readonly rule: Rule; seen: number }, subject: Subject): boolean {
    entry.seen += 1;
    const { nth, prob } = entry.rule.match;
    if (nth !== undefined && nth !== entry.seen) return false;
    return prob === undefined || draw(this.#seed, subject.op, subject.name ?? '', subject.sequence) < prob;
  }
}

/** Rules of a request body. Throws BadRequest that names the first wrong line, from 1. */
export function parsePlan(body: unknown): Rule[] {
  if (!Array.isArray(body)) throw new ApiError('BadRequest', 'a plan is a list of rules');
  return body.map((line, index) => {
    try {
      return parseRule(line);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new ApiError('BadRequest', `line ${index + 1}: ${error.message}`);
    }
  });
}

function parseRule(line: unknown): Rule {
  const rule = shaped(line, { match: 'object', edge: 'string', action: 'string', params: 'object?' });
  const match = shaped(rule.match, {
    op: 'string?',
    region: 'string?',
    name: 'string?',
    nth: 'number?',
    prob: 'number?',
  });
  return { match, edge: oneOf(rule.edge, EDGES, 'edge'), action: parseAction(rule.action, rule.params ?? {}) };
}

type Params = Readonly<Record<string, unknown>>;

const ACTIONS: Readonly<Record<string, (params: Params) => Action>> = {
  delay: (params) => ({ kind: 'delay', ms: shaped(params, { ms: 'number' }).ms }),
  fail: parseFail,
  corrupt: (params) => ({ kind: 'corrupt', how: oneOf(shaped(params, { how: 'string' }).how, CORRUPTIONS, 'how') }),
  'boot-fault': (params) => ({
    kind: 'boot-fault',
    how: oneOf(shaped(params, { how: 'string' }).how, BOOT_FAULTS, 'how'),
  }),
  drop: bare({ kind: 'drop' }),
  reset: bare({ kind: 'reset' }),
  duplicate: bare({ kind: 'duplicate' }),
  ignore: bare({ kind: 'ignore' }),
};

function parseAction(kind: string, params: Params): Action {
  const parse = Object.hasOwn(ACTIONS, kind) ? ACTIONS[kind] : undefined;
  if (!parse) throw new ApiError('BadRequest', `no action ${kind}`);
  return parse(params);
}

function parseFail(params: Params): Action {
  const { code, message, native } = shaped(params, { code: 'string', message: 'string?', native: 'string?' });
  if (!isErrorCode(code)) throw new ApiError('BadRequest', `no error code ${code}`);
  return { kind: 'fail', code, message: message ?? `injected ${code}`, ...(native === undefined ? {} : { native }) };
}

/** An action without parameters. */
function bare(action: Action): (params: Params) => Action {
  return (params) => {
    shaped(params, {});
    return action;
  };
}

function oneOf<const T extends string>(value: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((item) => item === value);
  if (!found) throw new ApiError('BadRequest', `${what} must be one of ${allowed.join(', ')}`);
  return found;
}

function matches({ match }: Rule, subject: Subject): boolean {
  if (match.op !== undefined && match.op !== subject.op) return false;
  if (match.region !== undefined && match.region !== subject.region) return false;
  if (match.name === undefined) return true;
  const name = subject.name ?? '';
  return match.name.endsWith('*') ? name.startsWith(match.name.slice(0, -1)) : name === match.name;
}
