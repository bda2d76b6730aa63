/** What happens in the demo, in order. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyCluster, SkyJob } from '../../src/api/types.gen.ts';
import { spendByInstance } from '../../src/cloudsim/queries.ts';
import { kubectl } from '../operator.ts';
import { heading, say, show } from './print.ts';
import type { System } from './system.ts';

const JOB = 'word-count';
const WAIT_MS = 90_000;

export async function story(system: System): Promise<void> {
  await noRoom(system);
  const running = await failover(system);
  const log = streamLog(system);
  const recovered = await loss(system, running);
  await completion(system, recovered, log);
  await bill(system);
}

async function noRoom({ plane, sim }: System): Promise<void> {
  heading('The cheapest region has no room');
  await sim.do('set-capacity', { region: 'eu-north', market: 'spot', count: 0 });
  say(
    'FluffyCloud sells spot machines cheapest in eu-north; from now on it has none left there. A job of two nodes is applied:',
  );
  show(
    'kubectl apply -f deploy/samples/skyjob.yaml',
    await kubectl(plane, ['apply', '-f', 'deploy/samples/skyjob.yaml']),
  );
}

async function failover(system: System): Promise<SkyJob> {
  heading('Failover');
  const job = await untilJob(system, 'the job runs', (one) => one.status?.phase === 'Running');
  const cluster = await read<SkyCluster>(system, 'skycluster', job.status?.clusterName ?? '');
  const tried = (cluster.status?.attempts ?? []).filter((attempt) => attempt.outcome !== 'Held');
  say(
    `${tried.length} place(s) refused before one had room; each is left alone for a while. The path is in the status:`,
  );
  show(
    `kubectl get skycluster ${cluster.metadata.name} -o jsonpath='{range .status.attempts[*]}…'`,
    attemptsText(cluster),
  );
  show('kubectl get sky', await kubectl(system.plane, ['get', 'skyjobs,skyclusters']));
  show(
    `kubectl events --for skycluster/${cluster.metadata.name}`,
    await eventsOf(system, 'SkyCluster', cluster.metadata.name),
  );
  return job;
}

function attemptsText(cluster: SkyCluster): string {
  const rows = (cluster.status?.attempts ?? []).toReversed();
  return rows
    .map(({ ordinal, placement, outcome, message }) =>
      `${ordinal}  ${placement?.infra}  ${placement?.instanceType} ${placement?.market}  ${outcome}  ${message ?? ''}`.trimEnd(),
    )
    .join('\n');
}

/** The ranks' lines as they come, over the loss of a machine, until the job has ended. */
function streamLog({ plane }: System): Promise<number | null> {
  say(`From here on the log of both ranks runs along (kubectl sky logs ${JOB} -f):`);
  const child = spawn(
    join(import.meta.dirname, '../kubectl-sky'),
    ['logs', JOB, '-f', '-n', 'default', '--kubeconfig', plane.kubeconfig],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  createInterface(child.stdout).on('line', (line) => say(`  | ${line}`));
  return once(child, 'close').then(([code]) => code as number | null);
}

async function loss(system: System, job: SkyJob): Promise<SkyJob> {
  heading('The cloud takes a machine back under the running job');
  const [first] = job.status?.attempts ?? [];
  const machine = first?.nodeIds?.[1] ?? '';
  await delay(2_000);
  await system.sim.do('preempt', { instance: machine });
  say(
    `${machine} is gone. The operator proves it from the cloud's own list, ends what is left of the gang, and goes to another region:`,
  );
  const recovered = await untilJob(
    system,
    'the job runs again',
    (one) => one.status?.phase === 'Running' && (one.status.recoveries ?? 0) > 0,
  );
  show('kubectl get skyjobs -o wide', await kubectl(system.plane, ['get', 'skyjobs', '-o', 'wide']));
  show(`kubectl events --for skyjob/${JOB}`, await eventsOf(system, 'SkyJob', JOB));
  say(`Same task id as before: ${recovered.status?.taskId ?? '?'}`);
  return recovered;
}

async function completion(system: System, job: SkyJob, log: Promise<number | null>): Promise<void> {
  heading('The work ends');
  const done = await untilJob(system, 'the job is complete', (one) =>
    ['Succeeded', 'Failed'].includes(one.status?.phase ?? ''),
  );
  say(`The log has ended, and kubectl sky with code ${await log}, the job's own.`);
  show(
    `kubectl wait --for=condition=Complete skyjob/${JOB}`,
    await kubectl(system.plane, ['wait', '--for=condition=Complete', `skyjob/${JOB}`, '--timeout=5s']),
  );
  say(`Exit codes by rank, attempt by attempt:`);
  const attempts = (done.status?.attempts ?? []).toReversed();
  show(
    `kubectl get skyjob ${JOB} -o yaml`,
    attempts
      .map(
        ({ ordinal, placement, reason, exitCodes }) =>
          `attempt ${ordinal}  ${placement?.infra}  ${reason}  ${JSON.stringify(exitCodes ?? {})}`,
      )
      .join('\n'),
  );
  if (done.status?.phase !== 'Succeeded')
    throw new Error(`${JOB} ended as ${done.status?.phase}: ${done.status?.reason}`);
  await kubectl(system.plane, ['wait', '--for=delete', `skycluster/${job.status?.clusterName ?? ''}`, '--timeout=60s']);
}

async function bill(system: System): Promise<void> {
  heading('The bill, and nothing left');
  const job = await untilJob(
    system,
    'the machines are given back',
    (one) => one.status?.conditions?.some(({ type, status }) => type === 'CleanedUp' && status === 'True') ?? false,
  );
  const ledger = await system.sim.ledger();
  const machines = [...spendByInstance(ledger, Date.now())];
  show('# the ledger of the cloud itself', machines.map(([id, usd]) => `${id}  $${usd.toFixed(6)}`).join('\n'));
  say(`The job's own account: $${job.status?.cost?.total ?? '?'} (kubectl get skyjob ${JOB} -o wide).`);
  const left = await system.sim.billableNow();
  if (left.length > 0) throw new Error(`still rented: ${left.map((machine) => machine.id).join(', ')}`);
  say(`Machines that the cloud still bills: ${left.length}.`);
}

async function untilJob(system: System, what: string, holds: (job: SkyJob) => boolean): Promise<SkyJob> {
  for (const end = Date.now() + WAIT_MS; ; await delay(200)) {
    const job = await read<SkyJob>(system, 'skyjob', JOB);
    if (holds(job)) return job;
    if (Date.now() > end) throw new Error(`${what}: not within ${WAIT_MS / 1_000} s (phase ${job.status?.phase})`);
  }
}

async function read<T>({ plane }: System, kind: string, name: string): Promise<T> {
  return JSON.parse(await kubectl(plane, ['get', kind, name, '-o', 'json'])) as T;
}

async function eventsOf({ plane }: System, kind: string, name: string): Promise<string> {
  return kubectl(plane, ['events', '--for', `${kind}/${name}`, '--no-headers']);
}
