import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import type { CheckItem, CheckReport, ErrorClass } from '../contract.ts';
import { NativeError } from '../kit/rest.ts';
import type { Aws } from './client.ts';
import { failed } from './fault.ts';
import { imageFor } from './image.ts';
import { findNetwork, subnetIn } from './network.ts';
import { accountOf } from './read.ts';
import { checkQueue } from './watch.ts';

/** Small, and offered in every region. */
const PROBE_TYPE = 't3.micro';
const PROBE_DISK_GIB = 30;
/** Running On-Demand Standard instances. */
const STANDARD_QUOTA = 'L-1216C47A';

const PROBES: Readonly<Partial<Record<ErrorClass, CheckItem['probe']>>> = {
  auth: 'auth',
  permission: 'permission',
  billing: 'billing',
  quota: 'quota',
  unsupported: 'network',
  'not-found': 'network',
};

/**
 * Who the key is, which regions are on, and whether a launch would be allowed there: a dry run, which tells nothing of quota or
 * capacity. One region that can be used is enough. Changes nothing.
 */
export async function check(aws: Aws, q: { readonly regions?: readonly string[] } = {}): Promise<CheckReport> {
  const items: CheckItem[] = [];
  try {
    const account = await accountOf(aws);
    items.push({ probe: 'auth', status: 'ok', message: `The key opens account ${account.id} as ${account.arn}.` });
    const optedIn = await regionStates(aws);
    for (const region of q.regions ?? [aws.home]) items.push(...(await checkRegion(aws, region, optedIn.get(region))));
    items.push(...(await checkQueue(aws)));
    const ok = items.some((item) => item.region !== undefined && item.probe === 'permission' && item.status === 'ok');
    return { ok, account: { id: account.id, display: account.id }, items };
  } catch (error) {
    return { ok: false, items: [...items, itemOf(error)] };
  }
}

/** OptInStatus by region. */
async function regionStates(aws: Aws): Promise<Map<string, string>> {
  const { Regions = [] } = await aws.ec2(aws.home, 'DescribeRegions', (ec2, options) =>
    ec2.describeRegions({ AllRegions: true }, options),
  );
  return new Map(Regions.map(({ RegionName = '', OptInStatus = '' }) => [RegionName, OptInStatus]));
}

async function checkRegion(aws: Aws, region: string, optIn: string | undefined): Promise<CheckItem[]> {
  if (optIn === undefined || optIn === 'not-opted-in') {
    const message = optIn === undefined ? `AWS has no region ${region}.` : `${region} is not enabled for the account.`;
    const hint = 'Enable the region for the account, or take it out of spec.regions.';
    return [{ probe: 'billing', region, status: 'fail', message, hint }];
  }
  try {
    const zones = await zoneCount(aws, region);
    await dryRun(aws, region);
    return [
      { probe: 'permission', region, status: 'ok', message: `Machines may be launched in ${zones} zones.` },
      ...(await checkQuota(aws, region)),
    ];
  } catch (error) {
    return [{ ...itemOf(error), region }];
  }
}

async function zoneCount(aws: Aws, region: string): Promise<number> {
  const { AvailabilityZones = [] } = await aws.ec2(region, 'DescribeAvailabilityZones', (ec2, options) =>
    ec2.describeAvailabilityZones({}, options),
  );
  return AvailabilityZones.length;
}

/** A launch on real parameters that EC2 judges and does not carry out. Throws what EC2 has against it. */
async function dryRun(aws: Aws, region: string): Promise<void> {
  const network = await findNetwork(aws, region);
  const subnet = subnetIn(network, undefined);
  const image = await imageFor(aws, { region, instanceType: PROBE_TYPE, diskGiB: PROBE_DISK_GIB });
  const input: RunInstancesCommandInput = {
    DryRun: true,
    ImageId: image.id,
    InstanceType: PROBE_TYPE,
    MinCount: 1,
    MaxCount: 1,
    // In a default VPC, EC2 itself finds a zone that has the type.
    ...(network.isDefault ? {} : { SubnetId: subnet.id }),
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'sky-check', Value: 'dry-run' }] }],
  };
  try {
    await aws.ec2(region, 'RunInstances', (ec2, options) => ec2.runInstances(input, options));
  } catch (error) {
    // How EC2 says that it would have done it.
    if (error instanceof NativeError && error.code === 'DryRunOperation') return;
    throw error;
  }
}

/** Many new accounts have none. What is in use is not in that API, so only a quota of 0 says something. */
async function checkQuota(aws: Aws, region: string): Promise<CheckItem[]> {
  const item = { probe: 'quota', region, status: 'warn' } as const;
  const hint = `Ask Service Quotas of ${region} for more of ${STANDARD_QUOTA}.`;
  try {
    const { Quota } = await aws.quotas(region, 'GetServiceQuota', (quotas, options) =>
      quotas.getServiceQuota({ ServiceCode: 'ec2', QuotaCode: STANDARD_QUOTA }, options),
    );
    return Quota?.Value === 0 ? [{ ...item, message: `The quota of standard vCPUs in ${region} is 0.`, hint }] : [];
  } catch {
    const message = `The quotas of ${region} cannot be read.`;
    return [{ ...item, message, hint: 'Allow servicequotas:GetServiceQuota; without it, a quota of 0 is met late.' }];
  }
}

function itemOf(error: unknown): CheckItem {
  const { fault } = failed(error, { op: 'check', creates: false });
  return {
    probe: PROBES[fault.class] ?? 'reachability',
    status: 'fail',
    message: fault.native?.message ?? fault.hint ?? fault.class,
    hint: fault.hint ?? 'Check that the operator may reach AWS, and spec.endpoint of the SkyCloud if it is set.',
  };
}
