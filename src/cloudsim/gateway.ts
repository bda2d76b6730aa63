import type { Handler } from './api/http.ts';
import type { Cloud } from './cloud.ts';
import type { Credential } from './credentials.ts';
import { overEdges, refusal } from './edges.ts';
import { ApiError } from './errors.ts';
import type { Incoming, Wire } from './wire.ts';

const NOBODY: Credential = { account: '-', state: 'valid' };

/** The port that the operator sees: who are you, not so fast, and then the call over its edges. */
export function gateway(cloud: Cloud, wire: Wire): Handler {
  const { plan, trace } = cloud;
  const { clock } = cloud.options;
  let requests = 0;
  return async (request) => {
    try {
      const call = wire.read(request, cloud);
      const credential = whoseIs(call, cloud);
      refuseTooMany(cloud, call, credential);

      const cause = { op: call.op, requestId: `r-${++requests}`, credential: `key:${credential.account}` };
      const operation = call.prepare({ cloud, request, credential, cause });
      return await overEdges(operation, { plan, clock, trace, say: (body) => wire.say(body, call) });
    } catch (error) {
      return refusal(error, (refused) => wire.refuse(refused, request));
    }
  };
}

/** Retry-After counts the caller's seconds, whose clock is no simulated one. */
function refuseTooMany(cloud: Cloud, { op }: Incoming, { account }: Credential): void {
  const seconds = cloud.buckets.take(op, account, cloud.timeline.now());
  if (seconds === 0) return;
  throw new ApiError('RateLimited', 'too many requests', { retryAfter: cloud.timeline.realSeconds(seconds) });
}

function whoseIs({ key, lenient, open }: Incoming, cloud: Cloud): Credential {
  return open ? NOBODY : cloud.credentials.open(key ?? '', lenient ?? false);
}
