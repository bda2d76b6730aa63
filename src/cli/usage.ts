/** Verbs, flags and names of a command line, checked before anything is asked of a cluster. */
import { parseArgs } from 'node:util';
import { nearest } from '../api/nearest.ts';

/** A command line that says nothing we know; the process exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Flag {
  readonly short?: string;
  /** What the value is, for help; without it the flag is a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly many?: true;
  readonly help: string;
}

export interface Syntax {
  readonly name: 'none' | 'optional' | 'required';
  /** What the name is, for help; default NAME. */
  readonly called?: string;
  /** Asks no cluster, so flags that choose one mean nothing. */
  readonly local?: true;
  readonly help: string;
  readonly flags: Readonly<Record<string, Flag>>;
}

export interface Given {
  /** Of the object. */
  readonly name: string | undefined;
  has(flag: string): boolean;
  text(flag: string): string | undefined;
  /** In the order of the command line. */
  texts(flag: string): readonly string[];
  /** Throws UsageError. */
  integer(flag: string): number | undefined;
}

export type Parsed<V extends string> =
  | { readonly kind: 'Run'; readonly verb: V; readonly given: Given }
  | { readonly kind: 'Help'; readonly verb: V | undefined };

const HELP: Readonly<Record<string, Flag>> = { help: { short: 'h', help: 'show this' } };
const CLUSTER: Readonly<Record<string, Flag>> = {
  namespace: { short: 'n', value: 'NAME', help: 'namespace; default that of the context' },
  context: { value: 'NAME', help: 'context of the kubeconfig' },
  kubeconfig: { value: 'FILE', help: 'kubeconfig; default $KUBECONFIG, then ~/.kube/config' },
};

function flagsOf({ flags, local }: Syntax): Readonly<Record<string, Flag>> {
  return { ...flags, ...(local ? {} : CLUSTER), ...HELP };
}

/** Throws UsageError that names the nearest known word. */
export function parseCommand<V extends string>(args: readonly string[], verbs: Readonly<Record<V, Syntax>>): Parsed<V> {
  const [first = '--help', ...rest] = args;
  if (['--help', '-h', 'help'].includes(first)) return { kind: 'Help', verb: undefined };
  const verb = (Object.keys(verbs) as V[]).find((known) => known === first);
  if (!verb) throw new UsageError(`unknown verb ${first}${nearest(first, Object.keys(verbs))}`);
  const given = parseFlags(rest, verbs[verb]);
  return given.has('help') ? { kind: 'Help', verb } : { kind: 'Run', verb, given: named(given, verb, verbs[verb]) };
}

interface Values extends Given {
  readonly names: readonly string[];
}

function parseFlags(args: readonly string[], syntax: Syntax): Values {
  const flags = flagsOf(syntax);
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { short, value }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const), ...(short ? { short } : {}) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, (string | undefined)[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    checkFlag(token, flags, values);
    values.set(token.name, [...(values.get(token.name) ?? []), token.value]);
  }
  return {
    name: undefined,
    names: tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : [])),
    has: (flag) => values.has(flag),
    text: (flag) => values.get(flag)?.[0],
    texts: (flag) => (values.get(flag) ?? []).filter((text) => text !== undefined),
    integer: (flag) => integerOf(flag, values.get(flag)?.[0]),
  };
}

function checkFlag(
  { name, rawName, value }: { readonly name: string; readonly rawName: string; readonly value: string | undefined },
  flags: Readonly<Record<string, Flag>>,
  seen: ReadonlyMap<string, unknown>,
): void {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  const known = Object.keys(flags).map((each) => `--${each}`);
  if (!flag) throw new UsageError(`unknown flag ${rawName}${nearest(rawName, known)}`);
  if (seen.has(name) && !flag.many) throw new UsageError(`${rawName} is given more than once`);
  if (flag.value && !value) throw new UsageError(`${rawName} needs a value: ${flag.value}`);
  if (!flag.value && value !== undefined) throw new UsageError(`${rawName} takes no value`);
}

function named({ names, ...given }: Values, verb: string, syntax: Syntax): Given {
  const [name, extra] = names;
  if (extra !== undefined || (syntax.name === 'none' && name !== undefined))
    throw new UsageError(`too many names: ${names.join(' ')}`);
  if (syntax.name === 'required' && name === undefined) throw new UsageError(`${verb} needs a ${calledOf(syntax)}`);
  return { ...given, name };
}

function integerOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${flag}: got ${text}, expected an integer from 0`);
  return Number(text);
}

/** The text of `--help`. */
export function helpOf(verbs: Readonly<Record<string, Syntax>>, verb: string | undefined): string {
  const syntax = verb === undefined ? undefined : verbs[verb];
  if (!syntax) {
    const lines = Object.entries(verbs).map(([name, { help }]) => `  ${name.padEnd(10)}${help}`);
    return ['Usage: kubectl sky VERB [NAME] [flags]', '', ...lines, '', '--help after a verb shows its flags.'].join(
      '\n',
    );
  }
  const name = { none: '', optional: ` [${calledOf(syntax)}]`, required: ` ${calledOf(syntax)}` }[syntax.name];
  const lines = Object.entries(flagsOf(syntax)).map(([flag, { short, value, help }]) => {
    const left = `${short ? `-${short}, ` : '    '}--${flag}${value ? ` ${value}` : ''}`;
    return `  ${left.padEnd(26)}${help}`;
  });
  return [`Usage: kubectl sky ${verb}${name} [flags]`, '', syntax.help, '', ...lines].join('\n');
}

function calledOf({ called = 'NAME' }: Syntax): string {
  return called;
}
