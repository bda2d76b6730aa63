import { parseArgs } from 'node:util';
import { ec2Rates } from './buckets.ts';
import type { Rate } from './buckets.ts';
import { profiles } from './profiles.ts';
import type { Profile } from './profiles.ts';
import { wireNames } from './wires.ts';

export interface SimOptions {
  /** Cloud whose API is spoken. */
  readonly wire: string;
  readonly profile: Profile;
  readonly seed: number;
  readonly clockFactor: number;
  readonly data?: string;
  readonly port: number;
  readonly apiKey?: string;
  readonly advertise?: string;
  readonly isolation: 'auto' | 'ns' | 'process' | 'none';
  readonly catalog?: string;
  readonly sshd?: string;
  readonly eager: number;
  readonly bootSeconds: number;
  readonly capacity: number;
  readonly pageSize: number;
  readonly rates: ReadonlyMap<string, Rate> | 'own' | 'profile';
  readonly exitWithStdin: boolean;
}

export const HELP = `A simulated cloud whose machines answer SSH.

  npm run sim -- [flags]

  --wire=fluffycloud    API that is spoken: ${wireNames.join(', ')}
  --profile=full        rules of the cloud: ${[...profiles.keys()].join(', ')}
  --seed=1              of all random decisions
  --clock-factor=1      simulated seconds per second
  --boot-seconds=5      simulated seconds from launch to running
  --capacity=1000       machines per region, zone, type and market
  --limits=profile      rate limits: profile, none, ec2, own (those of the wire)
  --page-size=500       machines per page of a list
  --data=DIR            keep the ledger there; absent: in memory
  --port=0              of the API; 0: any free port
  --api-key=KEY         of the one account; absent: made up
  --isolation=auto      of machines: auto, ns, process
  --machines=none       no machines at all, only the API
  --eager=200           machines with namespaces of their own; more get a socket each
  --advertise=ADDR      serve all machines at this address, each at its own port
  --sshd=PATH           SSH server
  --catalog=CSV         price list instead of the built-in one
  --exit-with-stdin     end when standard input ends
  --help

Prints one JSON line when ready. Exit codes: 0 asked to end, 2 wrong flag, 3 this host cannot serve.
`;

/** A flag that makes no sense; the message names it. */
export class FlagError extends Error {}

/** Options of a command line, or 'help'. Throws FlagError. */
export function parseOptions(args: readonly string[]): SimOptions | 'help' {
  const flags = readFlags(args);
  if (flags.help) return 'help';
  const text = (name: 'data' | 'advertise' | 'catalog' | 'sshd') =>
    flags[name] === undefined ? {} : { [name]: flags[name] };
  return {
    wire: required(
      wireNames.find((name) => name === flags.wire),
      'wire',
    ),
    profile: required(profiles.get(flags.profile), 'profile'),
    seed: number(flags.seed, 'seed', Number.MIN_SAFE_INTEGER),
    clockFactor: number(flags['clock-factor'], 'clock-factor', 0.001),
    ...text('data'),
    port: number(flags.port, 'port', 0),
    ...(flags['api-key'] === undefined ? {} : { apiKey: flags['api-key'] }),
    ...text('advertise'),
    isolation: flags.machines === 'none' ? 'none' : isolation(flags.isolation),
    ...text('catalog'),
    ...text('sshd'),
    eager: number(flags.eager, 'eager', 0),
    bootSeconds: number(flags['boot-seconds'], 'boot-seconds', 0),
    capacity: number(flags.capacity, 'capacity', 0),
    pageSize: number(flags['page-size'], 'page-size', 1),
    rates: required(LIMITS.get(flags.limits), 'limits'),
    exitWithStdin: flags['exit-with-stdin'],
  };
}

const LIMITS = new Map<string, SimOptions['rates']>([
  ['profile', 'profile'],
  ['own', 'own'],
  ['none', new Map<string, Rate>()],
  ['ec2', ec2Rates],
]);

function readFlags(args: readonly string[]) {
  const string = (value: string) => ({ type: 'string', default: value }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        wire: string('fluffycloud'),
        profile: string('full'),
        seed: string('1'),
        'clock-factor': string('1'),
        'boot-seconds': string('5'),
        capacity: string('1000'),
        limits: string('profile'),
        'page-size': string('500'),
        data: { type: 'string' },
        port: string('0'),
        'api-key': { type: 'string' },
        isolation: string('auto'),
        machines: string('ssh'),
        eager: string('200'),
        advertise: { type: 'string' },
        sshd: { type: 'string' },
        catalog: { type: 'string' },
        'exit-with-stdin': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

function number(text: string, flag: string, least: number): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < least)
    throw new FlagError(`--${flag}=${text} must be a number ≥ ${least}`);
  return value;
}

function isolation(text: string): 'auto' | 'ns' | 'process' {
  if (text === 'auto' || text === 'ns' || text === 'process') return text;
  throw new FlagError(`--isolation=${text} must be auto, ns or process`);
}

function required<T>(value: T | undefined, flag: string): T {
  if (value === undefined) throw new FlagError(`--${flag} has an unknown value`);
  return value;
}
