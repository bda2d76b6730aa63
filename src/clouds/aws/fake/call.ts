import type { Request } from '../../../cloudsim/api/http.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError, refuseIf } from '../../../cloudsim/errors.ts';
import type { ErrorCode } from '../../../cloudsim/errors.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { subjectOf } from '../../../cloudsim/wire.ts';
import type { Call, Prepare } from '../../../cloudsim/wire.ts';
import { objectsOf, parseForm, textOf, textsOf } from './form.ts';
import type { FormObject } from './form.ts';
import type { XmlValue } from './xml.ts';

/** One call of a service that takes forms, with the region that its signature names. */
export interface FormCall extends Call {
  readonly form: FormObject;
  readonly region: string;
}

/** What `say` makes a document of. */
export interface Answer {
  readonly action: string;
  readonly requestId: string;
  readonly data: { readonly [name: string]: XmlValue };
}

/** The scope of a SigV4 Authorization header. Signatures are not verified: any secret key will do. */
export interface Scope {
  readonly keyId: string;
  readonly region: string;
  readonly service: string;
}

export function scopeOf({ headers }: Request): Scope {
  const [, keyId = '', region = '', service = ''] =
    /Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/([^/,\s]+)\/aws4_request/.exec(headers.authorization ?? '') ?? [];
  return { keyId, region, service };
}

export function formCall(call: Call): FormCall {
  return { ...call, form: parseForm(call.request.text), region: scopeOf(call.request).region };
}

/** A call that does or reads something in one region. */
export function inRegion(act: (call: FormCall) => { readonly [name: string]: XmlValue }): Prepare {
  return (plain) => {
    const call = formCall(plain);
    const ids = [...textsOf(call.form, 'InstanceId'), ...textsOf(call.form, 'ResourceId')];
    const name = call.cloud.world.find(ids[0] ?? '')?.name;
    return operation(call, name, () => {
      refuseOutage(call);
      const data = act(call);
      return () => data;
    });
  };
}

/** Checks in `validate`; what that gives commits. */
export function operation(
  call: FormCall,
  name: string | undefined,
  validate: () => () => { readonly [name: string]: XmlValue },
): Operation {
  const { op, requestId } = call.cause;
  const answer = (data: Answer['data']): Answer => ({ action: op, requestId, data });
  return {
    subject: subjectOf(call, { name, region: call.region }),
    ignored: answer({ return: true }),
    validate: () => {
      const commit = validate();
      return () => answer(commit());
    },
  };
}

export function refuseOutage({ cloud, region }: FormCall): void {
  refuseIf(cloud.outages.has(region), 'Maintenance', `region ${region} does not answer`);
}

/** A refusal in EC2's own words. */
export function native(code: string, message: string, as: ErrorCode = 'BadRequest'): ApiError {
  return new ApiError(as, message, { native: code });
}

/** A machine of the caller in the region of the call, as it is, not as readers see it. Throws what EC2 says of others. */
export function ownInstance({ cloud, credential, region }: FormCall, id: string): Instance {
  if (!/^i-[0-9a-f]+$/.test(id)) throw native('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
  const instance = cloud.world.find(id);
  if (!instance || instance.account !== credential.account || instance.region !== region)
    throw native('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  return instance;
}

/** Whether a thing passes all filters of the call; `values` gives what it has under a filter's name. */
export function passes(form: FormObject, values: (name: string) => readonly (string | undefined)[]): boolean {
  return objectsOf(form, 'Filter').every((filter) => {
    const wanted = textsOf(filter, 'Value');
    return values(textOf(filter, 'Name') ?? '').some((value) => value !== undefined && wanted.includes(value));
  });
}

/** `Tag.1.Key=…` as a record. */
export function tagsOf(form: FormObject): Record<string, string> {
  return Object.fromEntries(
    objectsOf(form, 'Tag').map((tag) => [textOf(tag, 'Key') ?? '', textOf(tag, 'Value') ?? '']),
  );
}

/** Tags of the first `TagSpecification` for a kind of resource. */
export function specifiedTags(form: FormObject, resource: string): Record<string, string> {
  const found = objectsOf(form, 'TagSpecification').find((each) => each.ResourceType === resource);
  return found ? tagsOf(found) : {};
}

export function tagSet(tags: Readonly<Record<string, string>>): XmlValue {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
