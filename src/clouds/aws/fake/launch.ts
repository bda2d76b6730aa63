import { gunzipSync } from 'node:zlib';
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import { validateLaunch } from '../../../cloudsim/launch.ts';
import type { LaunchOrder } from '../../../cloudsim/launch.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { formCall, native, operation, refuseOutage, specifiedTags } from './call.ts';
import type { FormCall } from './call.ts';
import { objectOf, objectsOf, textOf, textsOf } from './form.ts';
import { subnetOf, zonesOf } from './geography.ts';
import { groupOf } from './groups.ts';
import { wireInstance } from './instance.ts';
import { refuseImage } from './offers.ts';

const MAX_USER_DATA_BYTES = 16_384;

export function runInstances(plain: Call): Operation {
  const call = formCall(plain);
  const { Name: name = '' } = specifiedTags(call.form, 'instance');
  return operation(call, name, () => {
    refuseOutage(call);
    const order = orderOf(call);
    const commit = inWordsOf(order, () => validateLaunch(call.cloud, order));
    if (textOf(call.form, 'DryRun') === 'true')
      throw native('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
    return () => {
      const instances = inWordsOf(order, commit);
      const instancesSet = instances.map((instance) => wireInstance(call.cloud, instance));
      return { reservationId: `r-${instances[0]?.id.slice(2) ?? ''}`, instancesSet };
    };
  });
}

function orderOf(call: FormCall): LaunchOrder {
  const { form, region, credential, cause } = call;
  const image = textOf(form, 'ImageId') ?? '';
  refuseImage(image);
  const [nic = {}] = objectsOf(form, 'NetworkInterface');
  const groups = [...textsOf(form, 'SecurityGroupId'), ...textsOf(nic, 'SecurityGroupId')];
  for (const group of groups) groupOf(call, group);
  const zone = zoneOf(call, textOf(nic, 'SubnetId') ?? textOf(form, 'SubnetId'));
  const count = Number(textOf(form, 'MaxCount'));
  const { Name: name = '', ...tags } = specifiedTags(form, 'instance');
  const market = objectOf(form, 'InstanceMarketOptions');
  const maxPrice = textOf(objectOf(market, 'SpotOptions'), 'MaxPrice');
  const userData = readUserData(textOf(form, 'UserData'));
  return {
    cause,
    account: credential.account,
    names: Array.from({ length: count }, () => name),
    minCount: Number(textOf(form, 'MinCount')),
    instanceType: textOf(form, 'InstanceType') ?? '',
    region,
    zone,
    market: textOf(market, 'MarketType') === 'spot' ? 'spot' : 'on-demand',
    maxPrice: maxPrice === undefined ? undefined : Number(maxPrice),
    token: textOf(form, 'ClientToken'),
    tags,
    userData,
    extra: { groups, image },
    request: form,
  };
}

function zoneOf({ cloud, region }: FormCall, subnet: string | undefined): string | undefined {
  if (subnet === undefined) return undefined;
  const zone = zonesOf(cloud, region).find((each) => subnetOf(each) === subnet);
  if (!zone) throw native('InvalidSubnetID.NotFound', `The subnet ID '${subnet}' does not exist`);
  return zone.id;
}

/** Base64, of gzip where the client has packed it. */
function readUserData(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > MAX_USER_DATA_BYTES)
    throw native('InvalidParameterValue', `User data is limited to ${MAX_USER_DATA_BYTES} bytes`);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes, { maxOutputLength: 1_048_576 }) : bytes).toString('utf8');
}

/** The simulator's refusals as EC2 puts them, where that depends on the order. */
function inWordsOf<T>({ market, instanceType }: LaunchOrder, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'Unsupported')
      throw native(
        'Unsupported',
        `Your requested instance type (${instanceType}) is not supported in your requested Availability Zone: ${error.message}`,
      );
    if (error.code === 'InsufficientCapacity')
      throw native(
        'InsufficientInstanceCapacity',
        `We currently do not have sufficient ${instanceType} capacity: ${error.message}`,
        'InsufficientCapacity',
      );
    if (error.code === 'QuotaExceeded' && market === 'spot')
      throw native('MaxSpotInstanceCountExceeded', error.message, 'QuotaExceeded');
    throw error;
  }
}
