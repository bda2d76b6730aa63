import { ProviderError } from '../contract.ts';
import type { BlockScope, CallContext, LaunchRequest, LaunchResult, ObservedNode, Slot } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { NativeError } from '../kit/rest.ts';
import { candidatesOf, said } from './candidates.ts';
import type { Block, Candidates } from './candidates.ts';
import { errors } from './errors.ts';
import type { Fleet, Taken } from './fleet.ts';
import { contentOf, newLease } from './lease.ts';
import type { Lease } from './lease.ts';
import { observed } from './nodes.ts';

const PUBLIC_KEY = /^((?:ssh|ecdsa|sk)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)(?: .*)?$/;

/** One slot on one block. */
interface Place {
  readonly on: Block;
  readonly lease: Lease;
}

interface Launch {
  readonly cx: CallContext;
  readonly fleet: Fleet;
  readonly request: LaunchRequest;
  readonly keys: readonly string[];
}

/** Leases one block for each slot, or none at all. Nothing is waited for: a block that somebody else was faster at is passed by. */
export async function launch(cx: CallContext, fleet: Fleet, request: LaunchRequest): Promise<LaunchResult> {
  refuseUnsupported(request);
  const { offering, slots } = request;
  try {
    const it = { cx, fleet, request, keys: request.bootstrap.authorizedKeys.map(bareKey) };
    const hosts = fleet.settings.hosts.filter(({ pool }) => pool === offering.region);
    const candidates = candidatesOf(request, await fleet.lookAll(hosts));
    const places = await takeAll(it, candidates);
    return { nodes: places.map((place) => nodeOf(place, fleet)), refused: [], effective: offering };
  } catch (error) {
    throw classify(errors, error, { op: 'launch', creates: true, offering, nodes: slots.length });
  }
}

/** Throws for wishes that no host can grant, before anything is asked. */
export function refuseUnsupported({ offering, image, network, disk }: LaunchRequest): void {
  const refuse = (hint: string, scope: BlockScope): never => {
    throw new ProviderError({ class: 'unsupported', outcome: 'not-started', block: { scope }, hint });
  };
  if (offering.market !== 'on-demand')
    refuse('Hosts of your own are on demand; there is no other market.', { market: offering.market });
  if (image.id !== undefined) refuse('Hosts are used as they are: ask for no image.', {});
  if (image.container !== undefined) refuse('Containers on hosts of your own are not supported.', {});
  if (network.ports.length > 0) refuse('Firewalls of hosts are not changed: open the ports yourself.', {});
  if (disk.tier !== undefined && disk.tier !== 'best')
    refuse('Disks of hosts have no tiers; leave diskTier unset.', { region: offering.region });
}

/** Without its comment: it is somebody's text, and goes into a file in which lines have a meaning. */
function bareKey(line: string): string {
  const [, type, blob] = PUBLIC_KEY.exec(line.trim()) ?? [];
  if (type !== undefined && blob !== undefined) return `${type} ${blob}`;
  throw new ProviderError({
    class: 'invalid',
    outcome: 'not-started',
    stopRequest: true,
    hint: 'An authorized key is no public key of OpenSSH without options.',
  });
}

async function takeAll(it: Launch, candidates: Candidates): Promise<Place[]> {
  const { request } = it;
  const { adopted, free } = candidates;
  if (adopted.some(({ held }) => held.lease.requestHash !== request.attempt.requestHash))
    throw native('request-differs', 'hosts are leased for another request of this attempt');
  const own = adopted.map((on): Place => ({ on, lease: on.held.lease }));
  const open = request.slots.filter(({ index }) => own.every(({ lease }) => lease.slot !== index));
  // What a connection that broke has left unfinished is finished.
  const places = (await takeSet(it, own)) ? undefined : await takeSome(it, { own, open, free });
  if (places) return inOrder([...own, ...places]);
  await giveBack(it, own);
  throw tooFew(request, candidates, open.length);
}

interface Wish {
  /** Held already. */
  readonly own: readonly Place[];
  readonly open: readonly Slot[];
  readonly free: readonly Block[];
}

/** One set of blocks after the other, until one is whole. Undefined: too few are left. */
async function takeSome(it: Launch, { own, open, free }: Wish): Promise<Place[] | undefined> {
  for (let left = free; left.length >= open.length;) {
    const set = open.map((slot, at) => placeOf(it, slot, left[at]));
    const missed = await takeSet(it, set).catch(async (error: unknown) => {
      await giveBack(it, own, error);
      throw error;
    });
    if (!missed) return set;
    left = left.filter((block) => block !== missed.on);
  }
  return undefined;
}

function tooFew({ offering }: LaunchRequest, { free, tooSmall, reasons }: Candidates, wanted: number): NativeError {
  const isDisk = free.length < wanted && tooSmall > 0 && free.length + tooSmall >= wanted;
  const message = `${offering.region}: ${wanted} wanted, ${free.length} free; not: ${said(reasons)}`;
  return native(isDisk ? 'disk-too-small' : 'no-free-host', message);
}

/** Nothing was taken. */
function native(code: string, message: string): NativeError {
  return new NativeError(message, { code, unsent: true });
}

function placeOf({ cx, request }: Launch, slot: Slot, on: Block | undefined): Place {
  if (!on) throw new RangeError('fewer blocks than slots');
  const index = request.slots.indexOf(slot);
  return { on, lease: newLease(request, { slot, index, host: on.host, block: on.block, now: cx.clock.now() }) };
}

/** The place that could not be taken; nothing of the set is held then. */
async function takeSet(it: Launch, set: readonly Place[]): Promise<Place | undefined> {
  const tried: Place[] = [];
  for (const place of set) {
    const taken = await takeSurely(it, place).catch(async (error: unknown) => {
      if (isMiss(error)) return 'unfit' as const;
      // Nobody knows whether this one is held, so it is not reckoned among those given back.
      await giveBack(it, tried, error);
      throw error;
    });
    if (taken === 'taken') {
      tried.push(place);
      continue;
    }
    await giveBack(it, taken === 'unfit' ? [...tried, place] : tried);
    return place;
  }
  return undefined;
}

/** The host could not be set up, or not be reached before anything was sent. */
function isMiss(error: unknown): boolean {
  return error instanceof NativeError && (error.code === 'host-unfit' || error.code === 'unreachable');
}

/**
 * A script whose connection broke may have run, or may yet. It is sent a second time, for the same lease is taken once: the
 * answer settles both. Throws the first error where that fails too.
 */
async function takeSurely({ fleet, keys }: Launch, { on, lease }: Place): Promise<Taken> {
  const what = { block: on.block, lease, content: contentOf(lease), keys };
  try {
    return await fleet.take(on.host, what);
  } catch (error) {
    if (!(error instanceof NativeError) || error.code !== 'lost') throw error;
    return fleet.take(on.host, what).catch(() => {
      throw error;
    });
  }
}

/**
 * Throws ProviderError with the machines that could not be given back. `unknown`: the error that left another machine unknown; the
 * outcome is then no better.
 */
async function giveBack({ fleet, request }: Launch, places: readonly Place[], unknown?: unknown): Promise<void> {
  const stuck: Place[] = [];
  let last = unknown;
  for (const place of places) {
    try {
      await fleet.release(place.on.host, place.lease.id);
    } catch (error) {
      stuck.push(place);
      last ??= error;
    }
  }
  if (stuck.length === 0) return;
  const { fault } = classify(errors, last, { op: 'release', creates: false, offering: request.offering });
  const partial = stuck.map((place) => nodeOf(place, fleet));
  const outcome = unknown === undefined ? 'started' : 'unknown';
  throw new ProviderError({ ...fault, outcome, partial }, { cause: last });
}

function nodeOf({ on, lease }: Place, { settings }: Fleet): ObservedNode {
  return observed({ block: on.block, state: 'ready', restarted: false, lease }, on, settings);
}

function inOrder(places: readonly Place[]): Place[] {
  return [...places].sort((a, b) => a.lease.index - b.lease.index);
}
