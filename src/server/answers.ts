/** Answers in the words of the Kubernetes API, so that kubectl shows their message. */
import type { ServerResponse } from 'node:http';
import type { User } from './access.ts';
import { LOGS_GROUP, type LogTarget, ROOT, VERSION } from './request.ts';

const REASONS = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
} as const;

/** A failed request: a metav1.Status with this code. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: keyof typeof REASONS;

  constructor(code: keyof typeof REASONS, message: string) {
    super(message);
    this.code = code;
  }
}

export const unauthorized = () => new Refusal(401, 'Unauthorized');

/** The same words whether or not the object exists. */
export function forbidden(user: User, { namespace, name }: LogTarget): Refusal {
  const what = `skyjobs.${LOGS_GROUP} "${name}" is forbidden: User "${user.name}"`;
  return new Refusal(
    403,
    `${what} cannot get resource "skyjobs/log" in API group "${LOGS_GROUP}" in the namespace "${namespace}"`,
  );
}

export function jobNotFound({ name }: LogTarget): Refusal {
  return new Refusal(404, `skyjobs.sky-operator.dev "${name}" not found`);
}

export function refuse(response: ServerResponse, { code, message }: Refusal): void {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: REASONS[code],
    code,
  };
  // A follower must not keep the connection: the next try may reach the leader.
  if (code === 503) response.setHeader('connection', 'close');
  sendJson(response, code, status);
}

export function sendJson(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const GROUP_VERSION = { groupVersion: `${LOGS_GROUP}/${VERSION}`, version: VERSION };
const GROUP = {
  kind: 'APIGroup',
  apiVersion: 'v1',
  name: LOGS_GROUP,
  versions: [GROUP_VERSION],
  preferredVersion: GROUP_VERSION,
};

/** By path: what the API server reads to learn what is served here. */
export const DISCOVERY: Readonly<Record<string, object>> = {
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [GROUP] },
  [ROOT]: GROUP,
  [`${ROOT}/${VERSION}`]: {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: GROUP_VERSION.groupVersion,
    resources: [{ name: 'skyjobs/log', singularName: '', namespaced: true, kind: 'SkyJob', verbs: ['get'] }],
  },
};
