import assert from 'node:assert/strict';
import type { ObservedNode, ProviderFault } from '../../../src/clouds/contract.ts';
import { type AttemptFacts, decideAttempt } from '../../../src/provision/attempt.ts';
import type { Machine, Send, SlotFact } from '../../../src/provision/facts.ts';

const CAPACITY: ProviderFault = { class: 'capacity', outcome: 'not-started' };
const LATER: ProviderFault = { class: 'rate-limit', outcome: 'not-started', retryAfterSeconds: 7 };
const PASSING: ProviderFault = { class: 'transient', outcome: 'not-started' };

function machine(slot: number, state: ObservedNode['state'] = 'running'): Machine {
  const node: ObservedNode = {
    id: `i-${slot}`,
    name: '',
    tags: {},
    state,
    nativeState: state,
    billed: 'full',
    offering: { region: 'r', instanceType: 't', market: 'spot' },
    address: {},
  };
  return { node, slot, ordinal: 1, request: '', seenAt: 0 };
}

const present = (slot: number, state?: ObservedNode['state']): SlotFact => ({
  kind: 'Present',
  slot,
  machine: machine(slot, state),
});
const notStarted = (slot: number): SlotFact => ({ kind: 'NotStarted', slot });
const absent = (slot: number): SlotFact => ({ kind: 'ProvenAbsent', slot });
const gone = (slot: number, preempted = false): SlotFact => ({ kind: 'ProvenGone', slot, preempted });
const unknown = (slot: number): SlotFact => ({ kind: 'Unknown', slot, why: 'lost' });

function refused(fault: ProviderFault, at = 0, slots = [0, 1]): Send {
  return { slots, sentAt: at, ended: { at, outcome: fault.outcome, fault } };
}

function facts(slots: SlotFact[], more: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    slots,
    sends: [],
    mayResend: true,
    slotsPerCall: slots.length,
    givenUp: undefined,
    outside: undefined,
    now: 100_000,
    ...more,
  };
}

const broken = { kind: 'Unreachable', message: 'slot 0: 0 of 1 accelerators', probe: true } as const;
const deleted = { kind: 'Cancelled', reason: 'Deleted' } as const;

describe('the open attempt', () => {
  const rows: [name: string, facts: AttemptFacts, decision: object][] = [
    ['is sent whole when nothing was sent', facts([notStarted(0), notStarted(1)]), { kind: 'Send', slots: [0, 1] }],
    [
      'is sent slot by slot where a call takes one machine',
      facts([notStarted(0), notStarted(1)], { slotsPerCall: 1 }),
      { kind: 'Send', slots: [0] },
    ],
    [
      'goes on with the next slot there',
      facts([present(0, 'pending'), notStarted(1)], { slotsPerCall: 1 }),
      { kind: 'Send', slots: [1] },
    ],
    [
      'is sent again with the same bytes while its answer is unknown',
      facts([unknown(0), unknown(1)]),
      { kind: 'Send', slots: [0, 1] },
    ],
    [
      'is never sent again without a token',
      facts([unknown(0)], { mayResend: false }),
      { kind: 'Wait', why: 'Unknown' },
    ],
    [
      'waits for a call in flight',
      facts([notStarted(0)], { sends: [{ slots: [0], sentAt: 1 }] }),
      { kind: 'Wait', why: 'InFlight' },
    ],
    [
      'waits as long as the cloud asked',
      facts([notStarted(0), notStarted(1)], { sends: [refused(LATER, 99_000)] }),
      { kind: 'Wait', why: 'RetryLater', until: 106_000 },
    ],
    [
      'is sent again after that',
      facts([notStarted(0), notStarted(1)], { sends: [refused(LATER, 90_000)] }),
      { kind: 'Send', slots: [0, 1] },
    ],
    [
      'is closed when the place has no room',
      facts([notStarted(0), notStarted(1)], { sends: [refused(CAPACITY)] }),
      { kind: 'Close', cause: { kind: 'Refused', fault: CAPACITY } },
    ],
    [
      'is closed after three passing faults',
      facts([notStarted(0)], { sends: [refused(PASSING), refused(PASSING), refused(PASSING)] }),
      { kind: 'Close', cause: { kind: 'Refused', fault: PASSING } },
    ],
    [
      'ends half a gang before it is closed',
      facts([present(0), notStarted(1)], { sends: [refused(CAPACITY, 0, [1])], slotsPerCall: 1 }),
      { kind: 'Terminate', machines: [machine(0)], cause: { kind: 'Refused', fault: CAPACITY } },
    ],
    [
      'waits for proof of a slot whose answer was lost, whatever was refused later',
      facts([unknown(0), notStarted(1)], { sends: [refused(CAPACITY, 0, [1])] }),
      { kind: 'AwaitProof', cause: { kind: 'Refused', fault: CAPACITY } },
    ],
    ['boots while machines start', facts([present(0), present(1, 'pending')]), { kind: 'Boot' }],
    ['is reached when all run', facts([present(0), present(1)]), { kind: 'Reach', machines: [machine(0), machine(1)] }],
    [
      'ends its machines when the object is deleted',
      facts([present(0)], { outside: deleted }),
      { kind: 'Terminate', machines: [machine(0)], cause: deleted },
    ],
    [
      'is not closed by a deletion while an answer is unknown',
      facts([unknown(0)], { outside: deleted }),
      { kind: 'AwaitProof', cause: deleted },
    ],
    [
      'is closed when its launch is proved to have created nothing',
      facts([absent(0), absent(1)]),
      { kind: 'Close', cause: { kind: 'Absent' } },
    ],
    [
      'ends the rest when a machine was taken back while booting',
      facts([gone(0, true), present(1)]),
      { kind: 'Terminate', machines: [machine(1)], cause: { kind: 'EndedItself', preempted: true } },
    ],
    [
      'tells why it was given up, not what came of that',
      facts([gone(0), present(1, 'terminating')], { givenUp: broken }),
      { kind: 'Terminate', machines: [machine(1, 'terminating')], cause: broken },
    ],
    [
      'gives up a machine that stops by itself',
      facts([present(0, 'stopping')]),
      { kind: 'Terminate', machines: [machine(0, 'stopping')], cause: { kind: 'EndedItself', preempted: false } },
    ],
  ];
  for (const [name, given, decision] of rows) {
    it(name, () => assert.deepEqual(decideAttempt(given), decision));
  }
});
