/** All machines of an attempt run: reach them, set them up, and hold them. Setup is the user's: its failure keeps the machines. */
import type { SkyClusterStatus } from '../api/types.gen.ts';
import {
  type Action,
  type ClusterDecision,
  type ClusterFacts,
  type NodeWork,
  type OpenAttempt,
  still,
} from './decision.ts';
import { placeText } from './close.ts';
import type { Machine } from './facts.ts';
import { recordOf, sameAsBefore, withMachines } from './attempt-status.ts';
import { portFields } from './ports.ts';
import { keep, type Report } from './report.ts';

type Worked = { readonly machine: Machine; readonly work: NodeWork };

export function bringUp(machines: readonly Machine[], facts: ClusterFacts, open: OpenAttempt): ClusterDecision {
  const worked = machines.map((machine) => ({ machine, work: facts.work(machine) }));
  const waiting = worked.filter(({ work }) => work.kind === 'NotBegun' || work.kind === 'Reaching');
  if (waiting.length > 0) return reaching(waiting, facts, open);
  const fields = withMachines(facts, open, machines);
  if (!facts.hasSetup) return hold(facts, open, fields, machines.length);
  const setup = decideSetup(worked, facts);
  switch (setup.kind) {
    case 'Running':
      return {
        ...still(keep({ ...REACHED, ...setup.verdicts }, { ...fields, phase: 'SettingUp' }), 'setup'),
        actions: setup.actions,
      };
    case 'Failed':
      return setupFailed(facts, open, fields, setup.message);
    case 'Done':
      return hold(facts, open, { ...fields, setupHash: facts.setupHash }, machines.length);
    default:
      return setup satisfies never;
  }
}

/** The stage shows as Booting until all answer: machines that boot and machines that do not answer yet look the same to a person. */
function reaching(waiting: readonly Worked[], facts: ClusterFacts, open: OpenAttempt): ClusterDecision {
  const fresh = waiting.filter(({ work }) => work.kind === 'NotBegun').map(({ machine }) => machine);
  const actions: Action[] = fresh.length > 0 ? [{ kind: 'Reach', machines: fresh }] : [];
  const missing = waiting.some(
    ({ machine }) => !facts.cluster.status?.nodes?.some((node) => node.id === machine.node.id),
  );
  // A machine that ran at once was never seen booting; its id is owed to the user all the same.
  const report = missing ? booted(facts, open) : sameAsBefore(facts);
  return { ...still(report, 'reaching'), actions, wakeAt: facts.now + RECHECK_MS };
}

/** The reach deadline is checked by a pass; nothing else would bring one while a machine stays silent. */
const RECHECK_MS = 30_000;

function booted(facts: ClusterFacts, open: OpenAttempt): Report {
  const machines = open.facts.slots.flatMap((slot) => (slot.kind === 'Present' ? [slot.machine] : []));
  const message = `${machines.length} machine(s) run in ${placeText(open.attempt.placement)} and are being reached over SSH`;
  return keep(
    { Provisioned: ['False', 'Booting', message], Reconciling: ['Booting', message] },
    withMachines(facts, open, machines),
  );
}

export type SetupDecision =
  | { readonly kind: 'Running'; readonly actions: readonly Action[]; readonly verdicts: Report['verdicts'] }
  | { readonly kind: 'Failed'; readonly message: string }
  | { readonly kind: 'Done' };

export function decideSetup(worked: readonly Worked[], facts: ClusterFacts): SetupDecision {
  const failed = worked.find(({ work }) => work.kind === 'SetupFailed');
  if (failed) return { kind: 'Failed', message: setupError(failed, facts) };
  const notDone = worked.filter(({ work }) => work.kind !== 'SetUp');
  if (notDone.length === 0) return { kind: 'Done' };
  const toBegin = notDone.filter(({ work }) => work.kind === 'Reached').map(({ machine }) => machine);
  const message = `files and setup are under way on ${worked.length} node(s)`;
  return {
    kind: 'Running',
    actions: toBegin.length > 0 ? [{ kind: 'SetUp', machines: toBegin }] : [],
    verdicts: { SetUp: ['False', 'SettingUp', message], Reconciling: ['SettingUp', message] },
  };
}

function setupError({ machine, work }: Worked, facts: ClusterFacts): string {
  const { status } = facts.cluster;
  const price = (status?.placement ?? status?.attempt?.placement)?.hourlyPrice ?? '?';
  const end = work.kind === 'SetupFailed' ? work : { code: 0, tail: '' };
  return `setup ended with ${end.code} on slot ${machine.slot}; the machines are kept and cost $${price}/h; mend spec.setup or delete the object. Last lines: ${end.tail}`;
}

export const REACHED: Report['verdicts'] = {
  Provisioned: ['True', 'AllNodesRunning', 'all machines run'],
  Reachable: ['True', 'AllNodesReachable', 'all machines answer on SSH with the pinned host key'],
};

export const SET_UP = ['True', 'SetupSucceeded', 'files and setup are done'] as const;
export const CLEAN = ['Unknown', 'InUse', 'machines are rented; deletion gives them back'] as const;

function hold(facts: ClusterFacts, open: OpenAttempt, fields: Report['fields'], machines: number): ClusterDecision {
  const { placement } = open.attempt;
  const wanted = facts.cluster.spec.numNodes ?? 1;
  const note = `${machines} machine(s) ready in ${placeText(placement)} at $${placement.hourlyPrice ?? '?'}/h`;
  const report = keep(
    { ...REACHED, SetUp: SET_UP, CleanedUp: CLEAN },
    { ...fields, ...held(facts, open, fields), phase: 'Ready', readyNodes: `${wanted}/${wanted}` },
  );
  return { ...still(report, 'ready'), events: [{ type: 'Normal', reason: 'Ready', action: 'Launch', note }] };
}

function setupFailed(
  facts: ClusterFacts,
  open: OpenAttempt,
  fields: Report['fields'],
  message: string,
): ClusterDecision {
  const report = keep(
    { ...REACHED, SetUp: ['False', 'SetupFailed', message], Stalled: ['SetupFailed', message], CleanedUp: CLEAN },
    { ...fields, ...held(facts, open, fields), phase: 'Failed' },
  );
  return {
    ...still(report, 'setup failed'),
    events: [{ type: 'Warning', reason: 'SetupFailed', action: 'Setup', note: message }],
  };
}

function held(facts: ClusterFacts, open: OpenAttempt, { nodes = [] }: Report['fields']): Report['fields'] {
  const { status } = facts.cluster;
  const record = recordOf(open.attempt, { outcome: 'Held' });
  const attempts: SkyClusterStatus['attempts'] = [record, ...(status?.attempts ?? [])].slice(0, 20);
  return { attempt: undefined, attempts, nextAttemptTime: undefined, ...portFields(status?.openPorts ?? [], nodes) };
}
