/** Machines are held: keep them as the spec says, notice the loss of one, and replace, relaunch or report it. */
import type { ClusterNode } from '../api/types.gen.ts';
import { nodesNow, sameAsBefore } from './attempt-status.ts';
import { CLEAN, decideSetup, REACHED, SET_UP } from './bring-up.ts';
import { type ClusterDecision, type ClusterFacts, type HeldSlot, still } from './decision.ts';
import { afterLoss, refill } from './loss.ts';
import { decidePorts, portFields } from './ports.ts';
import { keep, type Report } from './report.ts';
import { relaunchRequest, retire } from './retire.ts';
import { allSlots } from './slots.ts';
import { terminateDue } from './terminate.ts';

export function decideHeld(facts: ClusterFacts): ClusterDecision {
  if (facts.access.kind === 'NotListedYet') return still(sameAsBefore(facts), 'first list');
  if (facts.access.kind === 'Blind') {
    const { reason, message } = facts.access;
    return still(
      keep({ Provisioned: ['Unknown', reason, message], Reconciling: [reason, message] }),
      'cloud cannot be asked',
    );
  }
  const relaunch = relaunchRequest(facts);
  if (relaunch) return retire(facts, relaunch);
  if (facts.invalid !== undefined) {
    return still(
      keep({ Planned: ['False', 'InvalidInput', facts.invalid], Stalled: ['InvalidInput', facts.invalid] }),
      'invalid input',
    );
  }
  return keepRunning(facts);
}

function keepRunning(facts: ClusterFacts): ClusterDecision {
  const wanted = facts.cluster.spec.numNodes ?? 1;
  const broken = facts.held.flatMap(({ fact }) =>
    fact.kind === 'Present' && fact.machine.node.state === 'failed' ? [fact.machine] : [],
  );
  const dropped = facts.held.flatMap(({ slot, fact }) =>
    slot >= wanted && fact.kind === 'Present' ? [fact.machine] : [],
  );
  const ending = terminateDue(facts, [...broken, ...dropped]);
  const decision = decideByLoss(facts, wanted);
  const wakeAt = earliest(decision.wakeAt, ending.wakeAt);
  return { ...decision, actions: [...ending.actions, ...decision.actions], wakeAt };
}

function decideByLoss(facts: ClusterFacts, wanted: number): ClusterDecision {
  if (facts.held.some(({ fact }) => fact.kind === 'Unknown')) return verifying();
  const lost = facts.held.filter(({ slot, fact }) => slot < wanted && fact.kind === 'ProvenGone');
  const known = new Set(facts.held.map(({ slot }) => slot));
  const added = allSlots(wanted).filter((slot) => !known.has(slot));
  if (lost.length > 0) return afterLoss(facts, lost, added);
  if (added.length > 0)
    return refill(facts, added, 'Grow', { Reconciling: ['Growing', `adding ${added.length} node(s)`] });
  const stopped = facts.held.filter(({ fact }) => fact.kind === 'Present' && fact.machine.node.state !== 'running');
  return stopped.length > 0 ? notRunning(facts, stopped) : running(facts, wanted);
}

function verifying(): ClusterDecision {
  const message = 'a machine is missing from the latest list of the cloud; a second list decides';
  return still(
    keep({ Provisioned: ['Unknown', 'VerifyingLoss', message], Reconciling: ['VerifyingLoss', message] }),
    'verifying loss',
  );
}

function notRunning(facts: ClusterFacts, slots: readonly HeldSlot[]): ClusterDecision {
  const all = slots.length === facts.held.length;
  const message = `${slots.length} of ${facts.held.length} machine(s) do not run although nobody here stopped them; start them in the cloud's console, or delete the object`;
  const report = keep(
    {
      Provisioned: ['False', all ? 'StoppedExternally' : 'PartlyStopped', message],
      Reconciling: ['StoppedExternally', message],
    },
    { phase: 'Degraded', nodes: nodesNow(facts) },
  );
  return still(report, 'not running');
}

function running(facts: ClusterFacts, wanted: number): ClusterDecision {
  const nodes = nodesNow(facts).filter((node) => node.slot < wanted);
  const fields: Report['fields'] = { nodes, numNodes: nodes.length };
  const setup = facts.hasSetup && facts.cluster.status?.setupHash !== facts.setupHash ? setupAgain(facts) : undefined;
  if (setup) return { ...setup, report: { ...setup.report, fields: { ...fields, ...setup.report.fields } } };
  const ready = { ...fields, phase: 'Ready', readyNodes: `${wanted}/${wanted}`, nextAttemptTime: undefined } as const;
  return withPorts(facts, keep({ ...REACHED, SetUp: SET_UP, CleanedUp: CLEAN }, ready), nodes);
}

/** Ready machines whose ports are, or become, those that the spec names. */
function withPorts(facts: ClusterFacts, { verdicts, fields }: Report, nodes: readonly ClusterNode[]): ClusterDecision {
  const before = facts.cluster.status?.openPorts ?? [];
  const due = decidePorts(facts.ports, before);
  const open = due ? before : facts.ports.wanted;
  const all = { ...fields, ...portFields(open, nodes) };
  if (due?.kind === 'Refused')
    return still(keep({ ...verdicts, Stalled: ['InvalidInput', due.message] }, all), 'ports may not change');
  if (!due) return still(keep(verdicts, all), 'ready');
  const message = `opening ports ${facts.ports.wanted.join(', ') || 'none'}`;
  const report = keep({ ...verdicts, Reconciling: ['OpeningPorts', message] }, all);
  return { ...still(report, 'opening ports'), actions: [due.action], wakeAt: facts.now };
}

/** The script or a file changed on a Ready cluster: it stays Ready and shows Reconciling until the new setup is done. */
function setupAgain(facts: ClusterFacts): ClusterDecision | undefined {
  const machines = facts.held.flatMap(({ fact }) => (fact.kind === 'Present' ? [fact.machine] : []));
  const worked = machines.map((machine) => ({ machine, work: facts.work(machine) }));
  const unreached = worked.filter(
    ({ work }) => work.kind === 'NotBegun' || work.kind === 'Reaching' || work.kind === 'Broken',
  );
  if (unreached.length > 0) {
    const fresh = unreached.filter(({ work }) => work.kind === 'NotBegun').map(({ machine }) => machine);
    return {
      ...still(sameAsBefore(facts), 'reaching for setup'),
      actions: fresh.length > 0 ? [{ kind: 'Reach', machines: fresh }] : [],
    };
  }
  const setup = decideSetup(worked, facts);
  if (setup.kind === 'Done')
    return {
      ...still(keep({ SetUp: SET_UP }, { setupHash: facts.setupHash, phase: 'Ready' }), 'set up again'),
      wakeAt: facts.now,
    };
  if (setup.kind === 'Failed') {
    return still(
      keep(
        { SetUp: ['False', 'SetupFailed', setup.message], Stalled: ['SetupFailed', setup.message] },
        { phase: 'Failed' },
      ),
      'setup failed',
    );
  }
  return {
    ...still(keep({ Reconciling: setup.verdicts.Reconciling ?? ['SettingUp', 'setup runs'] }), 'setup again'),
    actions: setup.actions,
  };
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
