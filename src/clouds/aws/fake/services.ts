/** The services beside EC2 that its users need. */
import { createHash } from 'node:crypto';
import { jsonBody } from '../../../cloudsim/api/http.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { formCall, native, scopeOf } from './call.ts';
import { textOf } from './form.ts';
import type { XmlValue } from './xml.ts';

/** vCPUs of every quota that nobody has set. */
const QUOTA = 1_000;
const SESSION_SECONDS = 3_600;

/** What `say` writes as JSON. */
export interface JsonAnswer {
  readonly json: unknown;
}

export function callerIdentity({ credential }: Call): { readonly [name: string]: XmlValue } {
  const { account } = credential;
  return { Arn: `arn:aws:iam::${account}:user/sky`, UserId: 'AIDASIMULATED', Account: account };
}

/** The caller's own key with a session token: the simulator has one key, and a role opens nothing else. */
export function assumeRole(call: Call): { readonly [name: string]: XmlValue } {
  const { cloud, request } = call;
  const { form } = formCall(call);
  const role = textOf(form, 'RoleArn') ?? '';
  if (!role.startsWith('arn:aws:iam::')) throw native('ValidationError', `${role} is no role`);
  return {
    Credentials: {
      AccessKeyId: scopeOf(request).keyId,
      SecretAccessKey: 'not-verified',
      SessionToken: `session-of-${createHash('sha256').update(role).digest('hex').slice(0, 8)}`,
      Expiration: new Date(cloud.timeline.now() + SESSION_SECONDS * 1_000).toISOString(),
    },
    AssumedRoleUser: { Arn: `${role}/${textOf(form, 'RoleSessionName')}`, AssumedRoleId: 'AROASIMULATED:sky' },
  };
}

/** Every public parameter that ends in `ami-id` holds an image. */
export function getParameter(call: Call): Operation {
  const { Name = '' } = jsonBody(call.request) as { readonly Name?: string };
  return plainly(subjectOf(call, {}), (): JsonAnswer => {
    if (!/^\/aws\/service\/.+\/ami-id$/.test(Name)) throw native('ParameterNotFound', `no parameter ${Name}`);
    const Value = `ami-${createHash('sha256').update(Name).digest('hex').slice(0, 17)}`;
    return { json: { Parameter: { Name, Type: 'String', Value, Version: 1 } } };
  });
}

export function getQuota(call: Call): Operation {
  const { QuotaCode, ServiceCode } = jsonBody(call.request) as Readonly<Record<string, string>>;
  const { region } = scopeOf(call.request);
  return plainly(subjectOf(call, { region }), (): JsonAnswer => ({
    json: { Quota: { ServiceCode, QuotaCode, Value: call.cloud.quotas.get(region) ?? QUOTA, Unit: 'None' } },
  }));
}
