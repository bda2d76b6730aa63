import { createHash } from 'node:crypto';
import type { Stand } from '../../conformance/stand.ts';

export const stands: readonly Stand[] = [
  {
    cloud: 'lambda',
    config: {},
    secret: (apiKey) => ({ api_key: apiKey }),
    account: (apiKey) => `key-${createHash('sha256').update(apiKey).digest('hex').slice(0, 16)}`,
    offering: { region: 'us-east-1', instanceType: 'gpu_1x_a10', market: 'on-demand' },
    zone: 'us-east-1',
    ops: { launch: 'launch', list: 'list_instances', get: 'get', terminate: 'terminate', 'set-tags': 'set_tags' },
    pageSize: 3,
  },
];
