import type { Stand } from '../../conformance/stand.ts';
import { QUEUE } from './queue.ts';

const common = {
  cloud: 'aws',
  config: { notices: { queueUrl: `https://sqs.us-east-1.amazonaws.com/000000000000/${QUEUE}` } },
  secret: (apiKey: string) => ({ aws_access_key_id: apiKey, aws_secret_access_key: 'never-verified-by-the-fake' }),
  account: 'acct-1',
  zone: 'use1-az1',
  ops: {
    launch: 'RunInstances',
    list: 'DescribeInstances',
    get: 'DescribeInstances',
    terminate: 'TerminateInstances',
    'set-tags': 'CreateTags',
    events: 'ReceiveMessage',
  },
  pageSize: 3,
  nodeId: ({ region, id }: { readonly region: string; readonly id: string }) => `${region}/${id}`,
} as const;

export const stands: readonly Stand[] = (['on-demand', 'spot'] as const).map((market) => ({
  ...common,
  offering: { region: 'us-east-1', zone: 'use1-az1', instanceType: 'm6i.large', market },
}));
