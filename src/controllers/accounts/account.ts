/** One SkyCloud as something that can be called: provider, credential, pace and deadline of each call. */
import type { SkyCloud } from '../../api/types.gen.ts';
import {
  type CallContext,
  type CredentialView,
  type NodeEvent,
  type NodeProvider,
  ProviderError,
  type ProviderFault,
  type RateBudget,
} from '../../clouds/contract.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import { TimeLimit } from './time-limit.ts';

export interface AccountMetrics {
  /** outcome: ok or the class of the error. */
  called(cloud: string, operation: string, outcome: string, seconds: number): void;
  /** The cloud refused a call for its rate. */
  throttled(skycloud: string, operation: string): void;
}

export interface AccountDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly callTimeoutMs: number;
  readonly metrics: AccountMetrics;
  /** Whether enough of the lease is left to begin an effect. */
  readonly mayAct: () => boolean;
  /** A call of this SkyCloud was refused for its credential. */
  readonly onRefused: (skycloud: string) => void;
}

export interface Account {
  /** Name of the SkyCloud. */
  readonly name: string;
  readonly provider: NodeProvider;
  /** Account id that the cloud itself reported for this credential. */
  readonly id: string;
  readonly config: CallContext['config'];
  readonly regions: readonly string[];
  /** One call to the cloud; throws ProviderError only. */
  call<T>(operation: string, run: (cx: CallContext) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Events of the account's machines until the signal is aborted; throws ProviderError only. Absent: the cloud tells none. */
  readonly watch?: (installation: string, signal: AbortSignal) => AsyncIterable<NodeEvent>;
}

export interface AccountInput {
  readonly cloud: SkyCloud;
  readonly provider: NodeProvider;
  readonly credential: CredentialView;
  readonly budget: RateBudget;
  readonly id: string;
  readonly regions: readonly string[];
}

export function account(input: AccountInput, deps: AccountDeps): Account {
  const { cloud, provider, id, regions } = input;
  const config = cloud.spec.config ?? {};
  return {
    name: cloud.metadata.name,
    provider,
    id,
    config,
    regions,
    call: (operation, run, signal) =>
      callCloud({ ...input, config }, deps, { operation, run, ...(signal ? { signal } : {}) }),
    ...(provider.watch && provider.capabilities({ config }).watch
      ? { watch: (installation, signal) => watchCloud({ ...input, config }, deps, { installation, signal }) }
      : {}),
  };
}

interface Call<T> {
  readonly operation: string;
  readonly run: (cx: CallContext) => Promise<T>;
  readonly signal?: AbortSignal;
}

/** A call that ends without an answer is Unknown: whoever waits for a create must let the cloud's lists decide. */
async function callCloud<T>(
  input: AccountInput & { config: CallContext['config'] },
  deps: AccountDeps,
  call: Call<T>,
): Promise<T> {
  const { clock } = deps;
  const limit = new TimeLimit(clock, deps.callTimeoutMs);
  const startedAt = clock.monotonic();
  const done = (outcome: string) =>
    deps.metrics.called(input.cloud.spec.provider, call.operation, outcome, (clock.monotonic() - startedAt) / 1_000);
  try {
    const signal = call.signal ? AbortSignal.any([call.signal, limit.signal]) : limit.signal;
    const result = await call.run(contextOf(input, deps, { operation: call.operation, signal, limit }));
    done('ok');
    return result;
  } catch (error) {
    const fault = faultOf(error);
    done(fault.class);
    if (fault.class === 'auth') deps.onRefused(input.cloud.metadata.name);
    throw error instanceof ProviderError ? error : new ProviderError(fault, { cause: error });
  } finally {
    limit.pause();
  }
}

/** Goes on for as long as the cloud does: what is limited in time is each request. */
async function* watchCloud(
  input: AccountInput & { config: CallContext['config'] },
  deps: AccountDeps,
  { installation, signal }: { readonly installation: string; readonly signal: AbortSignal },
): AsyncIterable<NodeEvent> {
  const { cloud, provider } = input;
  const { clock } = deps;
  const startedAt = clock.monotonic();
  const limit = { pause: () => {}, resume: () => {}, remainingMs: () => deps.callTimeoutMs };
  let outcome = 'ok';
  try {
    yield* provider.watch?.(contextOf(input, deps, { operation: 'watch', signal, limit }), { installation }) ?? [];
  } catch (error) {
    const fault = faultOf(error);
    outcome = fault.class;
    if (fault.class === 'auth') deps.onRefused(cloud.metadata.name);
    throw error instanceof ProviderError ? error : new ProviderError(fault, { cause: error });
  } finally {
    deps.metrics.called(cloud.spec.provider, 'watch', outcome, (clock.monotonic() - startedAt) / 1_000);
  }
}

interface Bounds {
  readonly operation: string;
  readonly signal: AbortSignal;
  readonly limit: Pick<TimeLimit, 'pause' | 'resume' | 'remainingMs'>;
}

function contextOf(
  input: AccountInput & { config: CallContext['config'] },
  deps: AccountDeps,
  { operation, signal: ends, limit }: Bounds,
): CallContext {
  return {
    signal: ends,
    remainingMs: () => limit.remainingMs(),
    clock: deps.clock,
    log: deps.log,
    credential: input.credential,
    ...(input.cloud.spec.endpoint ? { endpoint: input.cloud.spec.endpoint } : {}),
    config: input.config,
    budget: {
      throttled: (bucket, scope) => {
        deps.metrics.throttled(input.cloud.metadata.name, bucket);
        input.budget.throttled(bucket, scope);
      },
      left: (bucket, left, scope) => input.budget.left(bucket, left, scope),
      take: async (bucket, signal, scope) => {
        limit.pause();
        await input.budget.take(bucket, signal, scope);
        limit.resume();
        // The wait may have outlived the lease: whoever leads by now reckons with no call of ours.
        if (CREATES.has(operation) && !deps.mayAct()) throw new Error('too little is left of the lease to launch');
      },
    },
  };
}

const CREATES = new Set(['launch', 'prepare']);

/** Whatever a provider throws that is no ProviderError is its bug, and says nothing about what the cloud did. */
export function faultOf(error: unknown): ProviderFault {
  if (error instanceof ProviderError) return error.fault;
  const message = error instanceof Error ? error.message : String(error);
  return { class: 'transient', outcome: 'unknown', native: { message: message.slice(0, 300) } };
}
