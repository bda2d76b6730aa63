import type { Stand } from '../../conformance/stand.ts';
import { capabilitiesOf } from '../manifest.ts';

const offering = { region: 'us-east', instanceType: 'cpu-2', market: 'on-demand' } as const;

/** What those profiles have that are not like the others. */
const special: Readonly<Record<string, Partial<Stand>>> = {
  // The plain list is an object of machines.
  fluffy: { wholeLists: ['empty-object'] },
  'flaky-gpu': {
    // A lossy stop can only lose what is there.
    offering: { ...offering, instanceType: 'l4-1' },
    paces: { launch: 12, list: 1, mutate: 1 },
  },
};

export const stands: readonly Stand[] = ['full', 'fluffy', 'tokened', 'named', 'accepted', 'flaky-gpu'].map(
  (profile) => ({
    cloud: 'fluffycloud',
    profile,
    config: { profile },
    secret: (apiKey) => ({ api_key: apiKey }),
    account: 'acct-1',
    offering: capabilitiesOf({ profile }).zones ? { ...offering, zone: 'us-east-a' } : offering,
    zone: 'us-east-a',
    ops: {
      launch: 'launch',
      list: 'list_instances',
      get: 'get',
      terminate: 'remove',
      'set-tags': 'set_tags',
      events: 'events',
    },
    pageSize: 3,
    ...special[profile],
  }),
);
