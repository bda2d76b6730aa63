import { CONTRACT_VERSION } from '../contract.ts';
import type { Capabilities, ProviderManifest } from '../contract.ts';

const PROFILES = ['full', 'fluffy', 'tokened'] as const;
export type ProfileName = (typeof PROFILES)[number];

export const manifest: ProviderManifest = {
  name: 'fluffycloud',
  contractVersion: CONTRACT_VERSION,
  secretKeys: { required: ['api_key'], optional: [] },
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { profile: { enum: PROFILES, default: 'full' } },
  },
  limits: {
    launch: { refillPerSecond: 20, burst: 50 },
    list: { refillPerSecond: 20, burst: 100 },
    mutate: { refillPerSecond: 50, burst: 100 },
    events: { refillPerSecond: 5, burst: 20 },
  },
  startupSeconds: 10,
  local: false,
};

/** What every profile has in common. */
const common = {
  zones: true,
  customImage: false,
  diskTiers: [],
  openPorts: 'all-open',
  publicIp: 'always',
} as const;

const full: Capabilities = {
  ...common,
  idempotency: { kind: 'token', tokenLifeSeconds: 86_400 },
  tags: { atCreate: true, mutable: true, listFilter: false },
  gang: { kind: 'atomic', maxPerLaunch: 1_000 },
  stop: 'frees-compute',
  spot: { supported: true, signal: 'state', noticeSeconds: 120 },
  bootstrap: { kind: 'cloud-init', maxBytes: 65_536, hostKeys: true },
  deadManSwitch: true,
  list: { consistency: 'strong', maxLagSeconds: 0, tombstoneSeconds: 60, commitWindowSeconds: 60 },
  watch: true,
};

const fluffy: Capabilities = {
  ...common,
  zones: false,
  idempotency: { kind: 'none' },
  tags: { atCreate: false, mutable: true, listFilter: false },
  gang: { kind: 'best-effort', maxPerLaunch: 1 },
  stop: 'none',
  spot: { supported: false, signal: 'none', noticeSeconds: 0 },
  bootstrap: { kind: 'cloud-init', maxBytes: 0, hostKeys: false },
  deadManSwitch: false,
  list: { consistency: 'strong', maxLagSeconds: 0, tombstoneSeconds: 0, commitWindowSeconds: 60 },
};

const tokened: Capabilities = {
  ...full,
  list: { consistency: 'eventual', maxLagSeconds: 5, tombstoneSeconds: 60, commitWindowSeconds: 60 },
};

const capabilities: Readonly<Record<ProfileName, Capabilities>> = { full, fluffy, tokened };

export function profileOf(config: Readonly<Record<string, unknown>>): ProfileName {
  return PROFILES.find((profile) => profile === config.profile) ?? 'full';
}

export function capabilitiesOf(config: Readonly<Record<string, unknown>>): Capabilities {
  return capabilities[profileOf(config)];
}
