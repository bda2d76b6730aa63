import type { DescribeInstancesCommandOutput, Filter } from '@aws-sdk/client-ec2';
import type { NodePage, ObservedNode, PerId, ProviderFault } from '../contract.ts';
import { NativeError } from '../kit/rest.ts';
import type { Aws } from './client.ts';
import { failed, forAll } from './fault.ts';
import { configOf } from './manifest.ts';
import { observed } from './nodes.ts';
import { byRegion, chunks, nodeId } from './place.ts';
import type { Place } from './place.ts';

const PAGE = 1_000;
/** Values that one filter takes. */
const MAX_FILTER_VALUES = 200;

/** Account of the credential; it needs no permission. Throws NativeError. */
export async function accountOf(aws: Aws): Promise<{ readonly id: string; readonly arn: string }> {
  const { Account = '', Arn = '' } = await aws.sts('GetCallerIdentity', (sts, options) =>
    sts.getCallerIdentity({}, options),
  );
  if (Account === '') throw new NativeError('the answer names no account');
  return { id: Account, arn: Arn };
}

/** Regions that the account has enabled, the home region first. Throws NativeError. */
export async function enabledRegions(aws: Aws): Promise<string[]> {
  const { Regions = [] } = await aws.ec2(aws.home, 'DescribeRegions', (ec2, options) =>
    ec2.describeRegions({}, options),
  );
  const names = Regions.flatMap(({ RegionName }) => RegionName ?? []);
  return names.sort((a, b) => Number(b === aws.home) - Number(a === aws.home) || (a < b ? -1 : 1));
}

/**
 * Machines of an installation, in pages of one region each. Without a region: of all that are enabled; a page of theirs that
 * shows nothing is left out unless it is the last. What fails gives a page that proves nothing absent.
 */
export async function* list(
  aws: Aws,
  q: { readonly installation: string; readonly region?: string },
): AsyncIterable<NodePage> {
  let account = '';
  try {
    account = (await accountOf(aws)).id;
    const regions = q.region === undefined ? await enabledRegions(aws) : [q.region];
    const last = regions.at(-1);
    for (const region of regions) yield* listRegion(aws, { ...q, region, account, showsEmpty: region === last });
  } catch (error) {
    yield incomplete(aws, error, account);
  }
}

interface RegionQuery {
  readonly installation: string;
  readonly region: string;
  readonly account: string;
  /** Whether a page without machines is worth telling. */
  readonly showsEmpty: boolean;
}

async function* listRegion(
  aws: Aws,
  { installation, region, account, showsEmpty }: RegionQuery,
): AsyncIterable<NodePage> {
  // No filter by state: a state that is new to us must not hide a machine.
  const ours = { Name: 'tag:sky-installation', Values: [installation] };
  try {
    for await (const nodes of pages(aws, region, [ours])) {
      if (nodes.length > 0 || showsEmpty) yield { nodes, complete: true, account };
    }
  } catch (error) {
    yield { ...incomplete(aws, error, account), missing: [{ region }] };
  }
}

function incomplete({ cx }: Aws, error: unknown, account: string): NodePage {
  const { fault } = failed(error, { op: 'DescribeInstances', creates: false });
  cx.log.warn('A list of machines is incomplete.', { fault });
  return { nodes: [], complete: false, account };
}

/** Machines by id, read with a filter, so that one unknown id does not spoil the others. */
export async function get(aws: Aws, ids: readonly string[]): Promise<PerId<ObservedNode>> {
  const absent: ProviderFault = { class: 'not-found', outcome: 'not-started', hint: 'EC2 does not show the machine.' };
  const answers = new Map<string, ObservedNode | ProviderFault>(forAll(ids, absent));
  for (const [region, places] of byRegion(ids)) {
    for (const part of chunks(places, MAX_FILTER_VALUES)) {
      for (const [id, answer] of await getPart(aws, region, part)) answers.set(id, answer);
    }
  }
  return answers;
}

async function getPart(aws: Aws, region: string, part: readonly Place[]): Promise<PerId<ObservedNode>> {
  const filter = { Name: 'instance-id', Values: part.map((place) => place.instance) };
  try {
    const found = await Array.fromAsync(pages(aws, region, [filter]));
    return new Map(found.flat().map((node) => [node.id, node]));
  } catch (error) {
    return forAll(part.map(nodeId), failed(error, { op: 'DescribeInstances', creates: false }).fault);
  }
}

async function* pages(aws: Aws, region: string, Filters: Filter[]): AsyncIterable<ObservedNode[]> {
  const config = configOf(aws.cx);
  for (let token: string | undefined; ;) {
    const input = { Filters, MaxResults: PAGE, ...(token === undefined ? {} : { NextToken: token }) };
    const page: DescribeInstancesCommandOutput = await aws.ec2(region, 'DescribeInstances', (ec2, options) =>
      ec2.describeInstances(input, options),
    );
    const instances = (page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []);
    yield instances.map((instance) => observed(region, instance, config));
    token = page.NextToken;
    if (token === undefined || token === '') return;
  }
}
