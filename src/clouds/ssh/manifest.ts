import { CONTRACT_VERSION } from '../contract.ts';
import type { Capabilities, ProviderManifest } from '../contract.ts';

export const manifest: ProviderManifest = {
  name: 'ssh',
  contractVersion: CONTRACT_VERSION,
  secretKeys: { required: ['ssh_private_key'], optional: ['known_hosts', 'passphrase', 'sudo_password'] },
  configSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['pools'],
    properties: {
      allowPrivateAddresses: {
        type: 'boolean',
        description: 'Hosts may have addresses of private networks. Default false.',
      },
      leaseDirectory: {
        type: 'string',
        description:
          'Where leases are kept on each host: an absolute path, or one below the home as ~/…. Default: ' +
          '/var/lib/sky/leases where it can be made, else below the home.',
      },
      pools: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['name', 'hosts'],
          properties: {
            name: { type: 'string', description: 'The region that these hosts are.' },
            user: { type: 'string', description: 'Login user of the hosts that name none.' },
            hosts: {
              type: 'array',
              minItems: 1,
              items: {
                type: 'object',
                required: ['hostname'],
                properties: {
                  hostname: { type: 'string', description: 'IP address; names are not resolved.' },
                  port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'Default 22.' },
                  user: { type: 'string', description: 'Login user, instead of that of the pool.' },
                  internalIp: { type: 'string', description: 'Address by which other hosts reach it.' },
                  hostKeyFingerprint: { type: 'string', description: '`SHA256:…` of the host key.' },
                  gpus: { type: 'string', description: 'NAME:COUNT, for drivers that do not say it.' },
                  maxBlocks: { type: 'integer', minimum: 1, description: 'Leases at the same time. Default 1.' },
                  price: { type: 'number', minimum: 0, description: 'USD per hour of the host. Default 0.' },
                },
              },
            },
          },
        },
      },
    },
  },
  labels: { key: /^.{1,128}$/su, value: /^.{0,256}$/su },
  // Handshakes; a pool of a hundred hosts is listed at once.
  limits: { connect: { refillPerSecond: 20, burst: 200 } },
  startupSeconds: 5,
  local: true,
};

/** More slots than any pool has hosts: how many there are is known when they are looked at. */
const MOST_SLOTS = 1_000;

export const capabilities: Capabilities = {
  idempotency: { kind: 'unique-name' },
  tags: { atCreate: true, mutable: false, listFilter: true },
  gang: { kind: 'atomic', maxPerLaunch: MOST_SLOTS },
  stop: 'none',
  spot: { supported: false, signal: 'none', noticeSeconds: 0 },
  zones: false,
  customImage: false,
  diskTiers: [],
  openPorts: 'none',
  publicIp: 'never',
  // The hosts' own keys, which each node tells.
  bootstrap: { kind: 'ssh-push', maxBytes: Number.MAX_SAFE_INTEGER, hostKeys: false },
  deadManSwitch: false,
  list: {
    consistency: 'strong',
    maxLagSeconds: 0,
    tombstoneSeconds: 0,
    // A script that has reached a host runs on when its connection breaks.
    commitWindowSeconds: 30,
    scope: 'account',
  },
};
