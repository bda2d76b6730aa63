import type { Stand } from '../../conformance/stand.ts';
import { capabilitiesOf } from '../manifest.ts';

const offering = { region: 'us-east', instanceType: 'cpu-2', market: 'on-demand' } as const;

export const stands: readonly Stand[] = ['full', 'fluffy', 'tokened'].map((profile) => ({
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
  // The plain list is an object of machines.
  wholeLists: profile === 'fluffy' ? ['empty-object'] : [],
}));
