import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { rules } from '../../../src/clouds/conformance/rules.ts';
import type { Rule } from '../../../src/clouds/conformance/rules.ts';
import type { Market } from '../../../src/clouds/contract.ts';

export const HELP = `Judges a provider before a real account of its cloud. It rents machines and ends all of them.

  npm run conformance:provider -- NAME --live --max-usd N --region REGION [flags]

  --max-usd=N           most that the run may cost if everything goes wrong; above, nothing is started
  --region=REGION       of the machines
  --secret-dir=DIR      the credential: a file per key, as of a mounted Secret; absent: none, where the cloud takes the environment's
  --config=FILE         YAML of spec.config of the SkyCloud
  --zone=ZONE           absent: that of the price list, where the cloud has zones
  --instance-type=TYPE  absent: the cheapest of the cloud's own price list
  --market=on-demand    or spot
  --rules=1b,3          only these
  --max-lifetime=1800   seconds after which a machine ends itself, where the cloud can do that
  --poll-seconds=5      between two looks at the lists
  --give-up-seconds=900 how long machines are ended before what is left is told
  --endpoint=URL        another than the cloud's own; http://127.0.0.1:PORT is a simulator
  --yes                 do not ask for the account's id

Exit codes: 0 all rules hold and nothing is left, 1 not so, 2 not started, 130 ended by a signal and nothing is left.
`;

/** Why nothing was started. */
export class Refused extends Error {}

/** A flag that makes no sense, or lacks. */
export class WrongFlag extends Refused {}

export interface LiveFlags {
  readonly cloud: string;
  readonly maxUsd: number;
  readonly region: string;
  readonly zone: string | undefined;
  readonly instanceType: string | undefined;
  readonly market: Market;
  readonly secret: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly endpoint: string | undefined;
  readonly chosen: readonly Rule[];
  readonly lifetimeSeconds: number;
  readonly pollSeconds: number;
  readonly giveUpSeconds: number;
  readonly yes: boolean;
}

/** Throws WrongFlag. */
export function readFlags(args: readonly string[]): LiveFlags {
  const { values, positionals } = parsed(args);
  const must = (name: 'max-usd' | 'region'): string => {
    const value = values[name];
    if (value === undefined) throw new WrongFlag(`--${name} is needed`);
    return value;
  };
  return {
    cloud: positionals[0] ?? '',
    maxUsd: number(must('max-usd'), 'max-usd'),
    region: must('region'),
    zone: values.zone,
    instanceType: values['instance-type'],
    market: marketOf(values.market),
    secret: values['secret-dir'] === undefined ? {} : secretIn(values['secret-dir']),
    config: values.config === undefined ? {} : configIn(values.config),
    endpoint: values.endpoint,
    chosen: chosenRules(values.rules),
    lifetimeSeconds: number(values['max-lifetime'], 'max-lifetime'),
    pollSeconds: number(values['poll-seconds'], 'poll-seconds'),
    giveUpSeconds: number(values['give-up-seconds'], 'give-up-seconds'),
    yes: values.yes,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const or = (value: string) => ({ type: 'string', default: value }) as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        live: { type: 'boolean' },
        yes: { type: 'boolean', default: false },
        'max-usd': text,
        region: text,
        'secret-dir': text,
        config: text,
        zone: text,
        'instance-type': text,
        market: or('on-demand'),
        rules: text,
        'max-lifetime': or('1800'),
        'poll-seconds': or('5'),
        'give-up-seconds': or('900'),
        endpoint: text,
      },
    });
  } catch (error) {
    throw new WrongFlag(error instanceof Error ? error.message : String(error));
  }
}

function number(text: string, flag: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value <= 0) throw new WrongFlag(`--${flag}=${text} must be above 0`);
  return value;
}

function marketOf(text: string): Market {
  if (text === 'on-demand' || text === 'spot') return text;
  throw new WrongFlag(`--market=${text} must be on-demand or spot`);
}

function chosenRules(text: string | undefined): readonly Rule[] {
  const ids = text?.split(',');
  const chosen = rules.filter(({ id }) => ids?.includes(id) ?? true);
  const unknown = ids?.filter((id) => !rules.some((rule) => rule.id === id)) ?? [];
  if (unknown.length > 0) throw new WrongFlag(`--rules: there is no ${unknown.join(', ')}`);
  return chosen;
}

/** A mounted Secret has a file per key, and its own housekeeping in files that begin with two dots. */
function secretIn(folder: string): Record<string, string> {
  const names = read(folder, () => readdirSync(folder)).filter((name) => !name.startsWith('.'));
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8').trim()]));
}

function configIn(file: string): Readonly<Record<string, unknown>> {
  const config: unknown = parse(read(file, () => readFileSync(file, 'utf8')));
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return { ...config };
  throw new WrongFlag(`${file} is no YAML object`);
}

function read<T>(path: string, from: () => T): T {
  try {
    return from();
  } catch {
    throw new WrongFlag(`${path} cannot be read`);
  }
}
