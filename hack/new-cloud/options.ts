import { parseArgs } from 'node:util';

/** What a cloud can be like; the first value of each flag is the default. */
export const FLAGS = {
  auth: ['bearer', 'basic', 'hmac'],
  idempotency: ['none', 'token', 'unique-name'],
  tags: ['none', 'create', 'later'],
  gang: ['single', 'atomic'],
  stop: ['no', 'yes'],
  spot: ['no', 'yes'],
  zones: ['no', 'yes'],
} as const;
export type Flag = keyof typeof FLAGS;

export type Choice = { readonly [F in Flag]: (typeof FLAGS)[F][number] } & {
  readonly name: string;
  /** Where the API is described; only written down. */
  readonly openapi?: string;
};

export const HELP = `Makes the folder of a new cloud: everything but the calls that only you know.

  npm run new-cloud -- NAME [flags]
  npm run new-cloud -- --check NAME       what is still to do

  --auth=bearer         bearer, basic, hmac: how a call says who calls
  --idempotency=none    none, token, unique-name: why a launch that is sent twice makes one machine
  --tags=none           none, create, later: set by the launch itself, or by a second call
  --gang=single         single, atomic: machines of one launch
  --stop=no             machines can be stopped
  --spot=no             there is a spot market
  --zones=no            regions have zones
  --openapi=WHERE       file or URL that describes the API; becomes a link in client.ts
  --help

Without any flag it asks, where there is a terminal. Exit codes: 0 done, 1 something is left to do (--check), 2 wrong name or flag.
`;

/** A command line or a name that makes no sense; the message says why. Nothing was written. */
export class UsageError extends Error {}

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'check'; readonly name: string }
  | {
      readonly kind: 'create';
      readonly name: string;
      readonly given: Partial<Record<Flag, string>>;
      readonly openapi?: string;
    };

export function commandLine(args: readonly string[]): Command {
  const { values, positionals } = parsed(args);
  const { help, check, openapi, ...given } = values;
  if (help) return { kind: 'help' };
  const [name, ...others] = check === undefined ? positionals : [check, ...positionals];
  if (name === undefined || others.length > 0) throw new UsageError('name exactly one cloud; --help tells more');
  if (check !== undefined) return { kind: 'check', name };
  return { kind: 'create', name, given, ...(openapi === undefined ? {} : { openapi }) };
}

/** A value for every flag. Throws UsageError for one that there is not, and for values that do not go together. */
export function choose(given: Partial<Record<Flag, string>>): Omit<Choice, 'name' | 'openapi'> {
  const chosen = {
    auth: oneOf('auth', given.auth),
    idempotency: oneOf('idempotency', given.idempotency),
    tags: oneOf('tags', given.tags),
    gang: oneOf('gang', given.gang),
    stop: oneOf('stop', given.stop),
    spot: oneOf('spot', given.spot),
    zones: oneOf('zones', given.zones),
  };
  const clash = CLASHES.find(({ when }) => when(chosen));
  if (clash) throw new UsageError(clash.because);
  return chosen;
}

const CLASHES: readonly {
  readonly when: (chosen: Omit<Choice, 'name' | 'openapi'>) => boolean;
  readonly because: string;
}[] = [
  {
    when: ({ idempotency, tags }) => idempotency === 'unique-name' && tags !== 'create',
    because: '--idempotency=unique-name needs --tags=create: only tags tell whose the machine is that has the name',
  },
  {
    when: ({ idempotency, gang }) => idempotency === 'unique-name' && gang === 'atomic',
    because: '--idempotency=unique-name needs --gang=single: machines of one launch share their name here',
  },
];

function oneOf<F extends Flag>(flag: F, value: string | undefined): (typeof FLAGS)[F][number] {
  const values: readonly (typeof FLAGS)[F][number][] = FLAGS[flag];
  const found = value === undefined ? values[0] : values.find((each) => each === value);
  if (found === undefined) throw new UsageError(`--${flag}=${value} must be one of ${values.join(', ')}`);
  return found;
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        auth: text,
        idempotency: text,
        tags: text,
        gang: text,
        stop: text,
        spot: text,
        zones: text,
        openapi: text,
        check: text,
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
