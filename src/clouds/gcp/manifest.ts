import { CONTRACT_VERSION } from '../contract.ts';
import type { Capabilities, ProviderManifest } from '../contract.ts';
import { textOr } from '../kit/answer.ts';

export const COMPUTE = 'https://compute.googleapis.com';
export const RESOURCES = 'https://cloudresourcemanager.googleapis.com';
export const BILLING = 'https://cloudbilling.googleapis.com';

/** Made by the user data; it exists in no image. */
export const LOGIN_USER = 'sky';

export const manifest: ProviderManifest = {
  name: 'gcp',
  contractVersion: CONTRACT_VERSION,
  secretKeys: {
    required: [],
    // Without a Secret the metadata server of GKE is asked.
    ambient: true,
    plain: ['project_id', 'vpc_project_id', 'impersonate_service_account'],
    optional: [
      'service_account.json',
      'external_account.json',
      'project_id',
      'vpc_project_id',
      'impersonate_service_account',
    ],
  },
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      project: { type: 'string', minLength: 1, description: 'Project to launch in. Default that of the credential.' },
      network: { type: 'string', minLength: 1, description: 'VPC that exists; absent: sky-operator, made at need.' },
      subnetworks: {
        type: 'object',
        additionalProperties: { type: 'string', minLength: 1 },
        description: 'Name of the subnetwork by region; absent: the one of an auto-mode VPC.',
      },
      sshSources: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        description: 'CIDRs that may reach port 22 in a VPC made here. Default 0.0.0.0/0.',
      },
      serviceAccount: {
        type: 'string',
        minLength: 1,
        description: 'E-mail of the identity of machines. Default none.',
      },
      image: { type: 'string', minLength: 1, description: 'Image of machines without accelerators.' },
      gpuImage: { type: 'string', minLength: 1, description: 'Image of machines with accelerators.' },
    },
  },
  // Whatever is no label of Google's travels in the metadata, so only the length is bounded.
  labels: { key: /^.{1,128}$/su, value: /^.{0,256}$/su },
  // 1500 requests a minute for each group of calls.
  limits: {
    read: { refillPerSecond: 20, burst: 50 },
    mutate: { refillPerSecond: 10, burst: 20 },
    token: { refillPerSecond: 1, burst: 5 },
  },
  startupSeconds: 60,
  local: false,
};

export const capabilities: Capabilities = {
  idempotency: { kind: 'unique-name' },
  tags: { atCreate: true, mutable: false, listFilter: true },
  gang: { kind: 'atomic', maxPerLaunch: 1_000 },
  stop: 'frees-compute',
  spot: { supported: true, signal: 'events', noticeSeconds: 30 },
  zones: true,
  customImage: false,
  // pd-balanced, or hyperdisk-balanced for families that take nothing else.
  diskTiers: ['medium'],
  openPorts: 'dynamic',
  publicIp: 'optional',
  // The size is documented for one metadata value and not verified for user data.
  bootstrap: { kind: 'cloud-init', maxBytes: 262_144, hostKeys: true },
  deadManSwitch: true,
  list: { consistency: 'eventual', maxLagSeconds: 60, tombstoneSeconds: 0, commitWindowSeconds: 300, scope: 'account' },
};

/** `config` of the SkyCloud. */
export interface GcpConfig {
  readonly project: string | undefined;
  readonly network: string | undefined;
  readonly subnetworks: Readonly<Record<string, unknown>>;
  readonly sshSources: readonly string[];
  readonly serviceAccount: string | undefined;
  readonly image: string;
  readonly gpuImage: string;
}

/** The family of the GPU image is not verified; Google renames those with each version of CUDA. */
const IMAGE = 'projects/ubuntu-os-cloud/global/images/family/ubuntu-2204-lts';
const GPU_IMAGE = 'projects/deeplearning-platform-release/global/images/family/common-cu128-ubuntu-2204-nvidia-570';

export function configOf(config: Readonly<Record<string, unknown>>): GcpConfig {
  const { project, network, subnetworks, sshSources, serviceAccount, image, gpuImage } = config;
  return {
    project: textOr(project, undefined),
    network: textOr(network, undefined),
    subnetworks: typeof subnetworks === 'object' && subnetworks !== null ? { ...subnetworks } : {},
    sshSources: Array.isArray(sshSources) ? sshSources.filter((cidr) => typeof cidr === 'string') : ['0.0.0.0/0'],
    serviceAccount: textOr(serviceAccount, undefined),
    image: textOr(image, IMAGE),
    gpuImage: textOr(gpuImage, GPU_IMAGE),
  };
}
