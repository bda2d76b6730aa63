import { generateKeyPairSync } from 'node:crypto';
import type { Stand } from '../../conformance/stand.ts';

const PROJECT = 'acct-1';
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** A key of a service account that the fake knows by its name. */
export function serviceAccount(apiKey: string): string {
  return JSON.stringify({
    type: 'service_account',
    project_id: PROJECT,
    client_email: `${apiKey}@${PROJECT}.iam.gserviceaccount.com`,
    private_key: privateKey,
  });
}

export const stands: readonly Stand[] = [
  {
    cloud: 'gcp',
    config: {},
    secret: (apiKey) => ({ 'service_account.json': serviceAccount(apiKey) }),
    account: PROJECT,
    offering: { region: 'us-central1', zone: 'us-central1-a', instanceType: 'e2-standard-4', market: 'on-demand' },
    zone: 'us-central1-a',
    ops: { launch: 'launch', list: 'list_instances', get: 'get', terminate: 'terminate', 'set-tags': 'set_labels' },
    pageSize: 3,
    nodeId: ({ zone, id }) => `${zone}/${id}`,
  },
];
