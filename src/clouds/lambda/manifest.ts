import { CONTRACT_VERSION } from '../contract.ts';
import type { Capabilities, ProviderManifest } from '../contract.ts';

/** The old host `cloud.lambdalabs.com` answers 301, and a redirected POST is not a launch. */
export const ENDPOINT = 'https://cloud.lambda.ai';

/** Every image of Lambda is an Ubuntu. */
export const LOGIN_USER = 'ubuntu';

export const manifest: ProviderManifest = {
  name: 'lambda',
  contractVersion: CONTRACT_VERSION,
  secretKeys: { required: ['api_key'], optional: [] },
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      fileSystems: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        description: 'Names of file systems that every machine gets under /lambda/nfs. They must exist in the region.',
      },
    },
  },
  labels: { key: /^(?!lambda-ai-)[a-z][a-z0-9\-:]{1,54}$/, value: /^.{0,128}$/su },
  // Launches have a bucket of their own below the general one, shared by everything that uses the key.
  limits: {
    launch: { refillPerSecond: 1 / 12, burst: 1 },
    call: { refillPerSecond: 1, burst: 2 },
  },
  startupSeconds: 300,
  local: false,
};

/** Tags, user data, rulesets and the size of what they take are documented for API 1.10.0 and not verified live. */
export const capabilities: Capabilities = {
  idempotency: { kind: 'none' },
  tags: { atCreate: true, mutable: true, listFilter: false },
  gang: { kind: 'best-effort', maxPerLaunch: 1 },
  stop: 'none',
  // There is no spot market to ask for. The status `preempted` exists all the same, and is believed.
  spot: { supported: false, signal: 'none', noticeSeconds: 0 },
  zones: false,
  customImage: false,
  diskTiers: [],
  openPorts: 'at-launch',
  publicIp: 'always',
  bootstrap: { kind: 'cloud-init', maxBytes: 1_000_000, hostKeys: true },
  deadManSwitch: false,
  list: { consistency: 'eventual', maxLagSeconds: 60, tombstoneSeconds: 0, commitWindowSeconds: 60, scope: 'account' },
};

/** File systems of the SkyCloud's `config`. */
export function fileSystemsOf(config: Readonly<Record<string, unknown>>): readonly string[] {
  const { fileSystems } = config;
  return Array.isArray(fileSystems) ? fileSystems.filter((name) => typeof name === 'string') : [];
}
