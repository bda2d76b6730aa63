/** What a host said of itself. Everything in it may be wrong or missing: users of the host could have written it. */
import { optional } from '../kit/answer.ts';
import type { Accelerators, Host } from './config.ts';
import { readLease } from './lease.ts';
import type { HeldBlock, LeaseState } from './lease.ts';

/** All but `leaseDirectory` and `held` is zero or empty where only leases were asked for. */
export interface HostFacts {
  readonly os: string;
  readonly arch: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly diskGiB: number;
  /** Models as the driver names them, one for each device. */
  readonly gpus: readonly string[];
  /** Unix seconds. */
  readonly time: number;
  readonly leaseDirectory: string;
  /** Only operators with the same login user see these leases. */
  readonly leasesAtHome: boolean;
  /** Why nothing can be leased here; in words. */
  readonly unwritable: string | undefined;
  readonly hasSudo: boolean;
  readonly missingTools: readonly string[];
  readonly held: readonly HeldBlock[];
}

/** What one block of a host is sold as. */
export interface Shape {
  readonly instanceType: string;
  readonly vCPUs: number;
  readonly memoryGiB: number;
  readonly accelerators: Accelerators | undefined;
}

const KIB_PER_GIB = 1_048_576;
const STATES: ReadonlySet<string> = new Set<LeaseState>(['pending', 'ready', 'cleaning', 'dirty', 'damaged']);
const LEASE_LINE = /^([0-9]{1,3}) ([a-z]+) (\S+) (\S+) (\S+)$/;
const ARCHITECTURES: ReadonlySet<string> = new Set(['x86_64', 'amd64']);
const MAKERS = /^(?:NVIDIA|AMD) +|^(?:Tesla|Quadro|GeForce) +/g;
/** Devices that come in two sizes and are called by the larger one. */
const BY_MEMORY: ReadonlyMap<string, string> = new Map([
  ['A100 80GB', 'A100-80GB'],
  ['V100 32GB', 'V100-32GB'],
]);

export function factsOf(lines: readonly string[]): HostFacts {
  const said = Map.groupBy(lines.map(split), ([word]) => word);
  const first = (word: string): string => said.get(word)?.[0]?.[1] ?? '';
  const all = (word: string): string[] => (said.get(word) ?? []).map(([, rest]) => rest);
  const reasons = new Map(all('dirty').map(split));
  const directory = first('unwritable');
  return {
    os: first('os'),
    arch: first('arch'),
    cpus: number(first('cpus')),
    memoryGiB: Math.round(number(first('memory')) / KIB_PER_GIB),
    diskGiB: Math.floor(number(first('disk')) / KIB_PER_GIB),
    gpus: all('gpu'),
    time: number(first('time')),
    leaseDirectory: first('dir'),
    leasesAtHome: first('place') === 'home',
    unwritable: said.has('home')
      ? 'the home of the login user has a name that no script can hold'
      : directory === ''
        ? undefined
        : `${directory} is not writable`,
    hasSudo: said.has('sudo'),
    missingTools: all('missing'),
    held: all('lease').flatMap((line) => heldBlock(line, first('boot'), reasons) ?? []),
  };
}

/** Undefined for a host that cannot be sold: what it is made of is not known. */
export function shapeOf(host: Host, facts: HostFacts): Shape | undefined {
  const { maxBlocks } = host;
  const vCPUs = Math.floor(facts.cpus / maxBlocks);
  const memoryGiB = Math.floor(facts.memoryGiB / maxBlocks);
  if (vCPUs < 1 || memoryGiB < 1) return undefined;
  const accelerators = acceleratorsOf(host, facts);
  const size = `${vCPUs}cpu-${memoryGiB}gb`;
  const suffix = accelerators ? `-${accelerators.count}x${accelerators.name}` : '';
  return { instanceType: `${size}${suffix}`, vCPUs, memoryGiB, accelerators };
}

/** Why the host is not offered, or undefined. */
export function unfitness(host: Host, facts: HostFacts): string | undefined {
  if (facts.os !== 'Linux' || !ARCHITECTURES.has(facts.arch))
    return `${facts.os || 'unknown system'} on ${facts.arch || 'unknown hardware'} is not supported`;
  if (facts.missingTools.length > 0) return `the tools ${facts.missingTools.join(', ')} are missing`;
  if (facts.unwritable !== undefined) return facts.unwritable;
  return shapeOf(host, facts) ? undefined : 'its CPUs and memory do not make a machine for each block';
}

/** Devices that work; blocks get none, since nothing keeps one lease off the devices of another. */
function acceleratorsOf(host: Host, { gpus }: HostFacts): Accelerators | undefined {
  if (host.maxBlocks > 1 || gpus.length === 0) return undefined;
  if (host.gpus) return gpus.length >= host.gpus.count ? host.gpus : undefined;
  const names = new Set(gpus.map(acceleratorName));
  const [name] = names;
  return names.size === 1 && name ? { name, count: gpus.length } : undefined;
}

/** By the name that the catalogs of this project use: `NVIDIA A100-SXM4-80GB` is A100-80GB. Empty where a driver tells no model. */
export function acceleratorName(model: string): string {
  const bare = model.trim().replace(MAKERS, '').replace(MAKERS, '').trim();
  if (bare === 'AMD') return '';
  const [device = ''] = /^[A-Za-z0-9]+(?: (?:[0-9]{4}|Ti|SUPER|Ada|Pro|A[0-9]{4}|Generation))*/.exec(bare) ?? [];
  const [memory = ''] = /[0-9]{2,3}GB/.exec(bare) ?? [];
  return BY_MEMORY.get(`${device} ${memory}`) ?? device.replaceAll(' ', '');
}

/** `<block> <state> <boot id it was set up in | -> <id> <content>`; undefined for what is no such line. */
function heldBlock(line: string, boot: string, reasons: ReadonlyMap<string, string>): HeldBlock | undefined {
  const [, block, state, readyBoot, id = '', content = ''] = LEASE_LINE.exec(line) ?? [];
  if (block === undefined || !isState(state)) return undefined;
  const lease = readLease(id, content);
  if (!lease) return { block: Number(block), state: 'damaged', restarted: false };
  const restarted = ![boot, '-'].includes(readyBoot ?? '-');
  return { block: Number(block), state, restarted, lease, ...optional('why', reasons.get(id)) };
}

function isState(text: string | undefined): text is LeaseState {
  return text !== undefined && STATES.has(text);
}

function split(line: string): [word: string, rest: string] {
  const at = line.indexOf(' ');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

function number(text: string): number {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}
