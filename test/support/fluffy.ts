import type { Booked, FakeCloud, Mishap } from '../../src/clouds/conformance/world.ts';
import type { Instance } from '../../src/cloudsim/instance.ts';
import { capabilitiesOf } from '../../src/clouds/fluffycloud/manifest.ts';
import type { PlanLine, Sim } from './sim.ts';

const OPS = {
  launch: 'launch',
  list: 'list_instances',
  get: 'get',
  terminate: 'remove',
  'set-tags': 'set_tags',
} as const;
export const PAGE_SIZE = 3;

/** The simulator as the conformance kit wants a cloud; started with pages of PAGE_SIZE. */
export function fakeOf(sim: Sim): FakeCloud {
  const offering = { region: 'us-east', instanceType: 'cpu-2', market: 'on-demand' } as const;
  return {
    endpoint: sim.api,
    config: { profile: sim.profile },
    secret: { api_key: sim.apiKey },
    account: 'acct-1',
    offering: capabilitiesOf({ profile: sim.profile }).zones ? { ...offering, zone: 'us-east-a' } : offering,
    pageSize: PAGE_SIZE,
    booked: async () => (await sim.state()).map(booked),
    mutations: async () => (await sim.ledger()).filter((row) => row.credential.startsWith('key:')).length,
    books: async () => JSON.stringify(await sim.ledger()),
    breaks: (call, how, nth = 1) => sim.plan(lineOf(OPS[call], how, nth)),
    hasCapacity: async (count) => {
      // A region of the plain profile has two zones.
      await sim.do('set-capacity', { count: 0 });
      await sim.do('set-capacity', { zone: 'us-east-a', count });
    },
    hollowsKey: () => sim.do('hollow-key'),
    preempts: (instance) => sim.do('preempt', { instance }),
    losesHost: (instance) => sim.do('fail-host', { instance }),
    settles: () => sim.clock({ step: capabilitiesOf({ profile: sim.profile }).list.maxLagSeconds + 1 }),
    resets: () => sim.reset(),
  };
}

function booked({ id, name, token }: Instance): Booked {
  return { id, name, ...(token === undefined ? {} : { token }) };
}

function lineOf(op: string, how: Mishap, nth: number): PlanLine {
  const match = { op, nth };
  switch (how) {
    case 'refused-after-effect':
      return { match, edge: 'committed', action: 'fail', params: { code: 'InternalError' } };
    case 'lost-answer':
      return { match, edge: 'committed', action: 'drop' };
    case 'reset-after-effect':
      return { match, edge: 'committed', action: 'reset' };
    case 'cut-json':
    case 'html-502':
    case 'wrong-type':
    case 'gzip-bomb':
    case 'oversize':
    case 'slow-bytes':
      return { match, edge: 'answered', action: 'corrupt', params: { how } };
    default:
      return how satisfies never;
  }
}
