/** Google answers a change with an operation, which may fail after the answer. */
import { ApiError } from '../../../cloudsim/errors.ts';
import type { ErrorCode } from '../../../cloudsim/errors.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { linkTo } from './links.ts';

/** What the operation is about. */
export interface About {
  readonly type: string;
  readonly zone?: string;
  readonly targetId?: string;
  readonly target?: string;
  readonly requestId?: string;
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Refusals that come by the operation and not by the call, as Google names them there. */
export const TAKEN_LATE = 'RESOURCE_ALREADY_EXISTS';
const LATE: Partial<Record<ErrorCode, string>> = {
  InsufficientCapacity: 'ZONE_RESOURCE_POOL_EXHAUSTED',
  QuotaExceeded: 'QUOTA_EXCEEDED',
};

/** Does what the call asked for, and answers with its operation. What Google finds out late is the operation's error. */
export function operated(call: Call, act: () => About, failed: About & { readonly gang: boolean }): unknown {
  try {
    return start(call, act(), []);
  } catch (error) {
    const late = lateError(error);
    if (!late) throw error;
    const short = { code: 'VM_MIN_COUNT_NOT_REACHED', message: 'The minimum count could not be reached.' };
    return start(call, failed, failed.gang ? [short, late] : [late]);
  }
}

function lateError(error: unknown): Failure | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const code = error.native === TAKEN_LATE ? TAKEN_LATE : LATE[error.code];
  return code === undefined ? undefined : { code, message: error.message };
}

export function start(call: Call, about: About, errors: readonly Failure[]): unknown {
  const { world, timeline } = call.cloud;
  const { account } = call.credential;
  const name = `operation-${world.nextId()}`;
  const data = { ...about, errors, startedAt: timeline.now() };
  world.putThing(call.cause, { kind: 'operation', account, id: name, data });
  return shown(call, name);
}

/** As it is now: an operation takes as long as a boot. Throws NotFound. */
export function shown(call: Call, name: string): unknown {
  const { world, timeline, options } = call.cloud;
  const thing = world.thing(call.credential.account, 'operation', name);
  if (!thing) throw new ApiError('NotFound', `The resource 'operations/${name}' was not found`);
  const { type, zone, targetId, target, errors, startedAt } = thing.data as unknown as Stored;
  const isDone = timeline.now() >= startedAt + options.bootSeconds * 1000;
  return {
    kind: 'compute#operation',
    name,
    operationType: type,
    status: isDone ? 'DONE' : 'RUNNING',
    insertTime: new Date(startedAt).toISOString(),
    ...(zone === undefined ? {} : { zone: linkTo(call, `/zones/${zone}`) }),
    ...(targetId === undefined ? {} : { targetId }),
    ...(target === undefined ? {} : { targetLink: linkTo(call, target) }),
    ...(isDone && errors.length > 0 ? { error: { errors }, httpErrorStatusCode: 503 } : {}),
  };
}

interface Stored extends About {
  readonly errors: readonly Failure[];
  readonly startedAt: number;
}

/** The operation of an earlier call with the same request id. */
export function replayed(call: Call, requestId: string | undefined): unknown {
  if (requestId === undefined) return undefined;
  const all = call.cloud.world.things(call.credential.account, 'operation');
  const earlier = all.find(({ data }) => data.requestId === requestId && (data.errors as unknown[]).length === 0);
  return earlier && shown(call, earlier.id);
}
