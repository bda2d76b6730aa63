import type { Image as NativeImage } from '@aws-sdk/client-ec2';
import type { Aws } from './client.ts';
import { refusal } from './fault.ts';
import { configOf } from './manifest.ts';

export interface Image {
  readonly id: string;
  readonly rootDevice: string;
}

/** Images that Canonical and AWS publish. Those for GPUs bring NVIDIA's open driver; their names are unverified against a live account. */
const PUBLISHED = {
  amd64: '/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id',
  arm64: '/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id',
  'amd64-gpu': '/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id',
  'arm64-gpu': '/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id',
} as const;

/** Families of Graviton carry a `g` behind their generation: m6g, c7gn, g5g, im4gn; a1 is older than that rule. */
const ARM = /^(a1|[a-z]+\d+[a-z]*g[a-z]*)\./;
/** Of NVIDIA: g4ad has AMD's. */
const GPU = /^(p\d|gr?\d(?!ad))/;

/** SSM parameter that holds the id of the image for machines of a type. */
export function publishedImage(instanceType: string): string {
  const gpu = GPU.test(instanceType);
  if (ARM.test(instanceType)) return PUBLISHED[gpu ? 'arm64-gpu' : 'arm64'];
  return PUBLISHED[gpu ? 'amd64-gpu' : 'amd64'];
}

interface ImageQuery {
  readonly region: string;
  readonly instanceType: string;
  /** An AMI id or the name of a parameter. */
  readonly image?: string;
  readonly diskGiB: number;
}

/**
 * What a machine starts from: the image of the request, else of the SkyCloud, else a published one. Throws NativeError, and
 * ProviderError `invalid` for a disk that is smaller than the image.
 */
export async function imageFor(aws: Aws, q: ImageQuery): Promise<Image> {
  const named = q.image ?? configOf(aws.cx).image ?? publishedImage(q.instanceType);
  const id = named.startsWith('/') ? await parameter(aws, q.region, named) : named;
  const { Images = [] } = await aws.ec2(q.region, 'DescribeImages', (ec2, options) =>
    ec2.describeImages({ ImageIds: [id] }, options),
  );
  const [image] = Images;
  if (!image) throw noImage(id, q.region);
  const rootDevice = image.RootDeviceName ?? '/dev/sda1';
  const least = sizeOf(image, rootDevice);
  if (q.diskGiB >= least) return { id, rootDevice };
  throw refusal({
    class: 'invalid',
    block: { scope: { instanceType: q.instanceType } },
    hint: `Set diskSize to ${least} or more: so large is the image ${id}.`,
  });
}

/** GiB. */
function sizeOf({ BlockDeviceMappings = [] }: NativeImage, device: string): number {
  return BlockDeviceMappings.find(({ DeviceName }) => DeviceName === device)?.Ebs?.VolumeSize ?? 0;
}

async function parameter(aws: Aws, region: string, name: string): Promise<string> {
  const { Parameter } = await aws.ssm(region, 'GetParameter', (ssm, options) =>
    ssm.getParameter({ Name: name }, options),
  );
  const id = Parameter?.Value ?? '';
  if (!/^ami-[0-9a-f]+$/.test(id)) throw noImage(name, region);
  return id;
}

function noImage(name: string, region: string) {
  return refusal({
    class: 'invalid',
    block: { scope: { region }, ttlSeconds: 3_600 },
    hint: `There is no image ${name} in ${region}; an AMI id is good in one region only. Set spec.config.image.`,
  });
}
