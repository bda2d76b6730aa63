import type { Booked, BreakableCall, Corruption, FakeCloud, Mishap } from '../../src/clouds/conformance/cloud.ts';
import type { Instance } from '../../src/cloudsim/instance.ts';
import { systemClock } from '../../src/clock.ts';
import type { Stand } from '../../src/clouds/conformance/stand.ts';
import { World } from '../../src/clouds/conformance/world.ts';
import type { NodeProvider } from '../../src/clouds/contract.ts';
import { startSim } from './sim.ts';
import type { PlanLine, Sim } from './sim.ts';

/** A simulator that speaks a cloud's API, as the conformance kit wants it. */
export function startFake(stand: Stand): Promise<Sim> {
  const { cloud, profile, pageSize } = stand;
  return startSim({ wire: cloud, pageSize, ...(profile === undefined ? {} : { profile }) });
}

export function fakeOf(sim: Sim, stand: Stand, lagSeconds: number): FakeCloud {
  const { config, account, offering, zone, ops, pageSize, nodeId = ({ id }) => id } = stand;
  const nativeId = async (id: string): Promise<string> =>
    (await sim.state()).find((machine) => nodeId(machine) === id)?.id ?? id;
  return {
    endpoint: sim.api,
    config,
    secret: stand.secret(sim.apiKey),
    account: typeof account === 'string' ? account : account(sim.apiKey),
    offering,
    pageSize,
    wholeLists: stand.wholeLists ?? [],
    // What failed never was a machine, though some clouds show it until it is removed.
    booked: async () =>
      (await sim.state()).filter(({ state }) => state !== 'failed').map((machine) => booked(machine, nodeId(machine))),
    mutations: async () => (await sim.ledger()).filter((row) => row.credential.startsWith('key:')).length,
    requests: async (call) =>
      (await sim.trace()).filter(({ op, edge }) => edge === 'received' && (!call || op === opOf(ops, call))).length,
    // An operation is a story of what was done, and nothing that anybody has.
    things: async () => (await sim.things()).filter(({ kind }) => kind !== 'operation').length,
    books: async () => JSON.stringify(await sim.ledger()),
    breaks: (call, how, nth = 1) => sim.plan(lineOf(opOf(ops, call), how, nth)),
    losesEvents: () => sim.plan({ match: { op: opOf(ops, 'events') }, edge: 'received', action: 'drop' }),
    hasCapacity: async (count) => {
      await sim.do('set-capacity', { count: 0 });
      await sim.do('set-capacity', { zone, count });
    },
    hollowsKey: () => sim.do('hollow-key'),
    preempts: async (id) => sim.do('preempt', { instance: await nativeId(id) }),
    losesHost: async (id) => sim.do('fail-host', { instance: await nativeId(id) }),
    losesAccelerators: () => sim.plan(LOST_ACCELERATORS),
    budget: {
      throttled: () => {},
      left: () => {},
      take: async (operation) => {
        const seconds = stand.paces?.[operation];
        if (seconds !== undefined) await sim.clock({ step: seconds });
      },
    },
    lacks: () => undefined,
    owns: () => true,
    settles: () => sim.clock({ step: lagSeconds + 1 }),
    // What a profile does wrong by itself would break rules that speak of something else.
    resets: async () => {
      await sim.reset();
      await sim.plan();
    },
  };
}

function opOf(ops: Stand['ops'], call: BreakableCall): string {
  const op = ops[call];
  if (op === undefined) throw new Error(`the fake has no call for ${call}`);
  return op;
}

/** A provider before its fake, ready to be judged. */
export function worldOf(sim: Sim, stand: Stand, provider: NodeProvider): World {
  const { maxLagSeconds } = provider.capabilities({ config: stand.config }, stand.offering).list;
  return new World(provider, fakeOf(sim, stand, maxLagSeconds), systemClock);
}

function booked({ name, token }: Instance, id: string): Booked {
  return { id, name, ...(token === undefined ? {} : { token }) };
}

const LOST_ACCELERATORS: PlanLine = {
  match: { op: 'start', nth: 1 },
  edge: 'boot',
  action: 'boot-fault',
  params: { how: 'missing-gpu' },
};

const AFTER_EFFECT: Readonly<Record<Exclude<Mishap, Corruption>, Omit<PlanLine, 'match'>>> = {
  'refused-after-effect': { edge: 'committed', action: 'fail', params: { code: 'InternalError' } },
  'lost-answer': { edge: 'committed', action: 'drop' },
  'reset-after-effect': { edge: 'committed', action: 'reset' },
};

function lineOf(op: string, how: Mishap, nth: number): PlanLine {
  const match = { op, nth };
  if (how in AFTER_EFFECT) return { match, ...AFTER_EFFECT[how as keyof typeof AFTER_EFFECT] };
  return { match, edge: 'answered', action: 'corrupt', params: { how } };
}
