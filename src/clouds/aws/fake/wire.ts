import type { Request } from '../../../cloudsim/api/http.ts';
import type { Said } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { ErrorCode } from '../../../cloudsim/errors.ts';
import { json } from '../../../cloudsim/wire.ts';
import type { Prepare, Wire } from '../../../cloudsim/wire.ts';
import { inRegion, scopeOf } from './call.ts';
import type { Answer } from './call.ts';
import { catalog } from './catalog.ts';
import { parseForm, textOf } from './form.ts';
import * as groups from './groups.ts';
import { runInstances } from './launch.ts';
import * as offers from './offers.ts';
import { profile, rates } from './profile.ts';
import { describeInstances } from './reads.ts';
import { assumeRole, callerIdentity, getParameter, getQuota } from './services.ts';
import type { JsonAnswer } from './services.ts';
import { deleteMessages, receiveMessage, sendMessage } from './queue.ts';
import * as writes from './writes.ts';
import { xmlDocument } from './xml.ts';

const EC2 = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const STS = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** What EC2 calls the simulator's refusals, and the HTTP status that they travel in. Capacity looks like a broken server. */
const CODES: Readonly<Record<ErrorCode, readonly [string, number]>> = {
  BadRequest: ['InvalidParameterValue', 400],
  Unsupported: ['Unsupported', 400],
  SpotPriceTooLow: ['SpotMaxPriceTooLow', 400],
  Unauthorized: ['AuthFailure', 401],
  PaymentRequired: ['OptInRequired', 401],
  Forbidden: ['UnauthorizedOperation', 403],
  QuotaExceeded: ['VcpuLimitExceeded', 400],
  NotFound: ['InvalidInstanceID.NotFound', 400],
  IdempotentParameterMismatch: ['IdempotentParameterMismatch', 400],
  IdempotentInstanceTerminated: ['IdempotentInstanceTerminated', 400],
  IncorrectState: ['IncorrectInstanceState', 400],
  InsufficientCapacity: ['InsufficientInstanceCapacity', 500],
  RateLimited: ['RequestLimitExceeded', 503],
  InternalError: ['InternalError', 500],
  Maintenance: ['Unavailable', 503],
};
const DRY_RUN = 412;

/** Actions of EC2 and STS; the simulator knows each by its own name. */
const actions: ReadonlyMap<string, Prepare> = new Map<string, Prepare>([
  ['RunInstances', runInstances],
  ['DescribeInstances', inRegion(describeInstances)],
  ['TerminateInstances', inRegion(writes.terminate)],
  ['StopInstances', inRegion(writes.stop)],
  ['StartInstances', inRegion(writes.start)],
  ['CreateTags', inRegion(writes.createTags)],
  ['DeleteTags', inRegion(writes.deleteTags)],
  ['CreateSecurityGroup', inRegion(groups.createGroup)],
  ['DescribeSecurityGroups', inRegion(groups.describeGroups)],
  ['AuthorizeSecurityGroupIngress', inRegion(groups.authorizeIngress)],
  ['RevokeSecurityGroupIngress', inRegion(groups.revokeIngress)],
  ['DeleteSecurityGroup', inRegion(groups.deleteGroup)],
  ['DescribeRegions', inRegion(offers.describeRegions)],
  ['DescribeAvailabilityZones', inRegion(offers.describeZones)],
  ['DescribeVpcs', inRegion(offers.describeVpcs)],
  ['DescribeSubnets', inRegion(offers.describeSubnets)],
  ['DescribeRouteTables', inRegion(offers.describeRouteTables)],
  ['DescribeImages', inRegion(offers.describeImages)],
  ['DescribeInstanceTypes', inRegion(offers.describeTypes)],
  ['DescribeInstanceTypeOfferings', inRegion(offers.describeOfferings)],
  ['DescribeSpotPriceHistory', inRegion(offers.describeSpotPrices)],
  ['GetCallerIdentity', inRegion(callerIdentity)],
  ['AssumeRole', inRegion(assumeRole)],
]);

/** Operations of SSM, Service Quotas and SQS, which speak JSON. */
const targets: ReadonlyMap<string, Prepare> = new Map<string, Prepare>([
  ['GetParameter', getParameter],
  ['GetServiceQuota', getQuota],
  ['ReceiveMessage', receiveMessage],
  ['DeleteMessageBatch', deleteMessages],
  ['SendMessage', sendMessage],
]);

/**
 * EC2, STS, SSM, Service Quotas and SQS at one address, as the SDK calls them. The access key id is the simulator's key; signatures
 * are not verified, so any secret key will do. The region is the one that the signature names.
 */
export function wire(): Wire {
  return {
    name: 'aws',
    profile,
    catalog,
    rates,
    read(request) {
      const { op, prepare } = routeOf(request);
      return { op, prepare, key: scopeOf(request).keyId, lenient: op === 'DescribeInstances' };
    },
    say,
    refuse,
  };
}

function routeOf(request: Request): { readonly op: string; readonly prepare: Prepare } {
  const target = request.headers['x-amz-target'];
  const [op, prepare] =
    typeof target === 'string'
      ? [target.split('.')[1] ?? '', targets.get(target.split('.')[1] ?? '')]
      : actionOf(textOf(parseForm(request.text), 'Action') ?? '');
  if (!prepare) throw new ApiError('NotFound', `The action ${op} is not valid`, { native: 'InvalidAction' });
  return { op, prepare };
}

function actionOf(name: string): readonly [string, Prepare | undefined] {
  return [name, actions.get(name)];
}

function say(body: unknown): Said {
  const answer = body as Answer | JsonAnswer;
  if ('json' in answer) return json(200, answer.json);
  const { action = 'Ignored', requestId = '', data = {} } = answer as Partial<Answer>;
  const ofSts = action === 'GetCallerIdentity' || action === 'AssumeRole';
  const content = ofSts
    ? { [`${action}Result`]: data, ResponseMetadata: { RequestId: requestId } }
    : { requestId, ...data };
  return xml(200, xmlDocument(`${action}Response`, ofSts ? STS : EC2, content));
}

function refuse({ code, native, message, headers }: ApiError, request: Request): Said {
  const [usual, status] = CODES[code];
  const Code = native ?? usual;
  if (request.headers['x-amz-target'] !== undefined) return json(status, { __type: Code, message }, headers);
  const error = { Errors: { Error: { Code, Message: message } }, RequestID: 'r-refused' };
  return xml(Code === 'DryRunOperation' ? DRY_RUN : status, xmlDocument('Response', '', error), headers);
}

function xml(status: number, text: string, headers: Said['headers'] = {}): Said {
  return { kind: 'said', status, type: 'text/xml;charset=UTF-8', text, headers };
}
