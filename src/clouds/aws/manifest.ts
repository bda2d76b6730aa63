import { CONTRACT_VERSION } from '../contract.ts';
import { isObject } from '../kit/answer.ts';
import type { Capabilities, Offering, ProviderManifest } from '../contract.ts';

/** AWS advises to ask for no more in one RunInstances call. */
export const MAX_PER_LAUNCH = 100;
/** Of user data before base64; EC2 refuses more. */
export const MAX_USER_DATA_BYTES = 16_384;

export const manifest: ProviderManifest = {
  name: 'aws',
  contractVersion: CONTRACT_VERSION,
  secretKeys: {
    required: ['aws_access_key_id', 'aws_secret_access_key'],
    optional: ['aws_session_token', 'region', 'aws_region', 'role_arn', 'external_id', 'role_session_name'],
    plain: ['region', 'aws_region', 'role_arn', 'role_session_name'],
    ambient: true,
  },
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      image: { type: 'string', pattern: '^(ami-[0-9a-f]+|/.+)$' },
      publicIp: { type: 'boolean', default: true },
      vpcName: { type: 'string', minLength: 1 },
      sshCidrs: { type: 'array', items: { type: 'string', pattern: '^[0-9.]+/[0-9]+$' }, default: ['0.0.0.0/0'] },
      instanceProfileArn: { type: 'string', pattern: '^arn:' },
      notices: {
        type: 'object',
        additionalProperties: false,
        required: ['queueUrl'],
        properties: {
          // Requests to it are signed, so it can be no other host.
          queueUrl: {
            type: 'string',
            pattern: '^https://sqs\\.[a-z]{2}(-[a-z]+)+-[0-9]\\.amazonaws\\.com(\\.cn)?/[0-9]{12}/[A-Za-z0-9_-]{1,80}$',
          },
        },
      },
    },
  },
  // AWS reserves the prefix `aws:` in any case of letters.
  labels: {
    key: /^(?![aA][wW][sS]:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u,
    value: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
  },
  // Buckets per account and region. Those of changing calls are unverified against a live account.
  limits: {
    describe: { refillPerSecond: 20, burst: 100 },
    mutate: { refillPerSecond: 5, burst: 50 },
    RunInstances: { refillPerSecond: 2, burst: 5 },
    'RunInstances machines': { refillPerSecond: 2, burst: 1_000 },
    'TerminateInstances machines': { refillPerSecond: 20, burst: 1_000 },
    // SQS itself sets none; each request costs money.
    queue: { refillPerSecond: 5, burst: 20 },
  },
  startupSeconds: 60,
  local: false,
};

const onDemand: Capabilities = {
  idempotency: { kind: 'token', tokenLifeSeconds: 86_400 },
  tags: { atCreate: true, mutable: true, listFilter: true },
  gang: { kind: 'atomic', maxPerLaunch: MAX_PER_LAUNCH },
  stop: 'frees-compute',
  spot: { supported: true, signal: 'state', noticeSeconds: 120 },
  zones: true,
  customImage: true,
  diskTiers: ['low', 'medium', 'high', 'ultra'],
  openPorts: 'dynamic',
  publicIp: 'optional',
  bootstrap: { kind: 'cloud-init', maxBytes: MAX_USER_DATA_BYTES, hostKeys: true },
  deadManSwitch: true,
  list: { consistency: 'eventual', maxLagSeconds: 60, tombstoneSeconds: 3_600, commitWindowSeconds: 60 },
};

/** One-time spot machines cannot be stopped. */
export function capabilitiesOf(cx: ConfigView, where?: Partial<Offering>): Capabilities {
  return {
    ...onDemand,
    ...(where?.market === 'spot' ? { stop: 'none' } : {}),
    ...(configOf(cx).queueUrl === undefined ? {} : { watch: true }),
  };
}

interface ConfigView {
  readonly config: Readonly<Record<string, unknown>>;
}

/** `spec.config` of a SkyCloud, as `manifest.configSchema` has checked it. */
export interface Config {
  /** An AMI id, which is good in one region only, or the name of an SSM parameter that holds one. */
  readonly image?: string;
  readonly publicIp: boolean;
  /** `Name` tag of the VPC; absent: the default VPC of each region. */
  readonly vpcName?: string;
  /** Networks that may reach port 22. */
  readonly sshCidrs: readonly string[];
  readonly instanceProfileArn?: string;
  /** SQS queue that EventBridge writes to. */
  readonly queueUrl?: string;
}

export function configOf({ config }: ConfigView): Config {
  const { image, publicIp, vpcName, sshCidrs, instanceProfileArn, notices } = config;
  const queueUrl = isObject(notices) ? notices.queueUrl : undefined;
  return {
    ...(typeof image === 'string' ? { image } : {}),
    publicIp: publicIp !== false,
    ...(typeof vpcName === 'string' ? { vpcName } : {}),
    sshCidrs: Array.isArray(sshCidrs) ? sshCidrs.map(String) : ['0.0.0.0/0'],
    ...(typeof instanceProfileArn === 'string' ? { instanceProfileArn } : {}),
    ...(typeof queueUrl === 'string' ? { queueUrl } : {}),
  };
}
