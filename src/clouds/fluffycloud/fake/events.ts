import type { Operation } from '../../../cloudsim/edges.ts';
import { refuseIf } from '../../../cloudsim/errors.ts';
import type { EventPage, MachineEvent } from '../../../cloudsim/events.ts';
import { subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';

const PAGE = 100;
const MAX_WAIT_SECONDS = 30;

/** `GET /v1/events?after=N&wait=SECONDS`. Without `after` it says at once where now is. */
export function events(call: Call): Operation {
  const { cloud, request, credential } = call;
  const after = numberIn(request.query, 'after') ?? cloud.feed.end;
  const seconds = Math.min(numberIn(request.query, 'wait') ?? 0, MAX_WAIT_SECONDS);
  const told: unknown[] = [];
  return {
    subject: subjectOf(call, {}),
    ignored: { events: [], next: after },
    validate: () => async () => {
      const waits = request.query.has('after') ? seconds : 0;
      const page = await cloud.feed.wait(credential.account, after, { limit: PAGE, seconds: waits });
      return said(page, told);
    },
  };
}

/** A call that arrives twice is told everything twice, the second time from behind. */
function said({ events: page, next }: EventPage, told: unknown[]): unknown {
  const more = page.map(wireEvent);
  told.push(...(told.length === 0 ? more : more.toReversed()));
  return { events: told, next };
}

function wireEvent({ kind, instance, at, secondsLeft }: MachineEvent): Record<string, unknown> {
  const { id, region, state } = instance;
  const head = { kind, instance_id: id, region, state, at: new Date(at).toISOString() };
  return secondsLeft === undefined ? head : { ...head, seconds_left: secondsLeft };
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  refuseIf(text === '' || !Number.isSafeInteger(value) || value < 0, 'BadRequest', `${name} must be a whole number`);
  return value;
}
