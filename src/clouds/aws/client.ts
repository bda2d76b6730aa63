import type { EC2 } from '@aws-sdk/client-ec2';
import type { ServiceQuotas } from '@aws-sdk/client-service-quotas';
import type { SQS } from '@aws-sdk/client-sqs';
import type { SSM } from '@aws-sdk/client-ssm';
import type { STS } from '@aws-sdk/client-sts';
import type { CallContext } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { THROTTLED } from './errors.ts';
import { AwsError, awsError } from './fault.ts';
import { assumedKeys, homeRegion, isFresh, ownKeys, roleOf, secretsOf } from './session.ts';
import type { Keys, KeySource } from './session.ts';
import { transport } from './transport.ts';
import type { Form } from './transport.ts';

/** More than all regions of a handful of accounts; a rotated Secret leaves its old clients behind. */
const MAX_CLIENTS = 512;

interface Services {
  readonly ec2: EC2;
  readonly sts: STS;
  readonly ssm: SSM;
  readonly sqs: SQS;
  readonly quotas: ServiceQuotas;
}

interface Settings {
  readonly region: string;
  readonly credentials: KeySource;
  readonly requestHandler: Record<string, unknown>;
  readonly endpoint?: string;
  /** A launch is sent once; whether to send it again is the operator's decision. */
  readonly maxAttempts: 1;
}

/** Code of a service is loaded at its first use. */
const SERVICES: {
  readonly [S in keyof Services]: { readonly form: Form; make(settings: Settings): Promise<Services[S]> };
} = {
  ec2: { form: 'xml', make: async (settings) => new (await import('@aws-sdk/client-ec2')).EC2(settings) },
  sts: { form: 'xml', make: async (settings) => new (await import('@aws-sdk/client-sts')).STS(settings) },
  sqs: { form: 'json', make: async (settings) => new (await import('@aws-sdk/client-sqs')).SQS(settings) },
  ssm: { form: 'json', make: async (settings) => new (await import('@aws-sdk/client-ssm')).SSM(settings) },
  quotas: {
    form: 'json',
    make: async (settings) => new (await import('@aws-sdk/client-service-quotas')).ServiceQuotas(settings),
  },
};

/** Goes with every call of a client. */
export interface SendOptions {
  readonly abortSignal: AbortSignal;
}

type Send<C, T> = (client: C, options: SendOptions) => Promise<T>;

/** The keys themselves, or a role that was assumed with them. */
type Who = 'self' | 'role';

interface Call {
  readonly region: string;
  /** EC2's own name of it. */
  readonly operation: string;
  readonly machines?: number;
}

interface Where {
  readonly region: string;
  readonly who: Who;
}

/** The services as one call of the contract sees them. Every method throws NativeError only. */
export class Aws {
  readonly cx: CallContext;
  /** Region that calls about the whole account go to. */
  readonly home: string;
  readonly #clients: Clients;

  constructor(clients: Clients, cx: CallContext) {
    this.#clients = clients;
    this.cx = cx;
    this.home = homeRegion(cx.credential);
  }

  /** `machines`: as many as the call begins or ends, where EC2 paces those too. */
  ec2<T>(region: string, operation: string, send: Send<EC2, T>, machines = 0): Promise<T> {
    return this.#call('ec2', { region, operation, machines }, send);
  }

  sts<T>(operation: string, send: Send<STS, T>): Promise<T> {
    return this.#call('sts', { region: this.home, operation }, send);
  }

  ssm<T>(region: string, operation: string, send: Send<SSM, T>): Promise<T> {
    return this.#call('ssm', { region, operation }, send);
  }

  sqs<T>(region: string, operation: string, send: Send<SQS, T>): Promise<T> {
    return this.#call('sqs', { region, operation }, send);
  }

  quotas<T>(region: string, operation: string, send: Send<ServiceQuotas, T>): Promise<T> {
    return this.#call('quotas', { region, operation }, send);
  }

  async #call<S extends keyof Services, T>(service: S, call: Call, send: Send<Services[S], T>): Promise<T> {
    ownKeys(this.cx.credential);
    const who = await this.#identity();
    return this.#sent(call, async (options) =>
      send(await this.#clients.of(this.cx, service, { region: call.region, who }), options),
    );
  }

  /** The role is assumed anew shortly before its keys end. */
  async #identity(): Promise<Who> {
    const { cx } = this;
    const role = roleOf(cx.credential);
    if (!role) return 'self';
    if (isFresh(this.#clients.roleKeys(cx), cx)) return 'role';
    const answer = await this.#sent({ region: this.home, operation: 'AssumeRole' }, async (options) =>
      (await this.#clients.of(cx, 'sts', { region: this.home, who: 'self' })).assumeRole(role, options),
    );
    this.#clients.keep(cx, assumedKeys(answer.Credentials));
    return 'role';
  }

  async #sent<T>(call: Call, run: (options: SendOptions) => Promise<T>): Promise<T> {
    const { cx } = this;
    await taken(cx, call);
    try {
      return await untilDeadline(cx, run);
    } catch (error) {
      const known = awsError(error, call.operation, secretsOf(cx.credential, this.#clients.roleKeys(cx)));
      if (THROTTLED.test(known.code ?? '')) slowDown(cx, call, known);
      throw known;
    }
  }
}

/** Clients by service, region, identity, endpoint and fingerprint of the credential; and the keys of assumed roles. */
export class Clients {
  readonly #handlerOf: (form: Form) => Record<string, unknown>;
  readonly #clients = new Map<string, Promise<Services[keyof Services]>>();
  readonly #roles = new Map<string, Keys>();

  constructor(allowedHosts: readonly string[]) {
    this.#handlerOf = transport(allowedHosts);
  }

  of<S extends keyof Services>(cx: CallContext, service: S, where: Where): Promise<Services[S]> {
    const key = [service, where.region, where.who, cx.endpoint, cx.credential.fingerprint].join(' ');
    const client = this.#clients.get(key) ?? SERVICES[service].make(this.#settings(cx, service, where));
    // Taken out and put in again: the first one is then the one that was not used for the longest time.
    this.#clients.delete(key);
    this.#clients.set(key, client);
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > MAX_CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
    return client as Promise<Services[S]>;
  }

  roleKeys(cx: CallContext): Keys | undefined {
    return this.#roles.get(roleName(cx));
  }

  /** Forgets keys that have ended: those of a rotated Secret are not renewed. */
  keep(cx: CallContext, keys: Keys): void {
    for (const [name, old] of this.#roles) if (!isFresh(old, cx)) this.#roles.delete(name);
    this.#roles.set(roleName(cx), keys);
  }

  #settings(cx: CallContext, service: keyof Services, { region, who }: Where): Settings {
    const { credential, endpoint } = cx;
    return {
      region,
      credentials: who === 'self' ? (ownKeys(credential) ?? ambientKeys) : async () => this.#assumed(cx),
      requestHandler: this.#handlerOf(SERVICES[service].form),
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: 1,
    };
  }

  #assumed(cx: CallContext): Keys {
    const keys = this.roleKeys(cx);
    if (!keys) throw new AwsError('the role was not assumed', { unsent: true });
    return keys;
  }
}

function roleName({ endpoint, credential }: CallContext): string {
  return `${endpoint} ${credential.fingerprint}`;
}

/** Whatever this pod is: a web identity or a pod identity of EKS, or what the SDK finds elsewhere. */
async function ambientKeys(): Promise<Keys> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  return fromNodeProviderChain()();
}

async function taken(cx: CallContext, { operation, region, machines = 0 }: Call): Promise<void> {
  const { signal, budget } = cx;
  try {
    signal.throwIfAborted();
    await budget.take(bucketOf(operation), signal, { region });
    if (machines > 0) await budget.take(`${operation} machines`, signal, { region, units: machines });
  } catch {
    throw new AwsError('the call was given up before it was sent', { unsent: true });
  }
  // A request that is sent only to be cut off may still be carried out.
  if (cx.remainingMs() <= 0) throw new AwsError('no time was left to send the call', { unsent: true });
}

function slowDown({ budget }: CallContext, { operation, region }: Call, { retryAfterSeconds }: AwsError): void {
  budget.throttled(bucketOf(operation), { region, ...optional('retryAfterSeconds', retryAfterSeconds) });
}

/** EC2 counts reading calls together, and most changing ones. */
function bucketOf(operation: string): string {
  if (operation.startsWith('Describe')) return 'describe';
  if (/^(RunInstances|AssumeRole|Get.*)$/.test(operation)) return operation;
  if (operation.includes('Message')) return 'queue';
  return 'mutate';
}

/** Ends with the signal even where the SDK does not listen, as while it looks for keys. */
async function untilDeadline<T>(cx: CallContext, run: (options: SendOptions) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const disarm = cx.clock.timer(cx.remainingMs(), () => deadline.abort(new Error('deadline passed')));
  const abortSignal = AbortSignal.any([cx.signal, deadline.signal]);
  const ended = new Promise<never>((_, reject) => {
    abortSignal.addEventListener('abort', () => reject(asError(abortSignal.reason)), { once: true });
  });
  try {
    return await Promise.race([run({ abortSignal }), ended]);
  } finally {
    disarm();
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
