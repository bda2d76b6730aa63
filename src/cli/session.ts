/** What a verb works with: the command line, a place to write to, and for most verbs one cluster. */
import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { SKY_CLOUDS, SKY_CLUSTERS, SKY_JOBS } from '../api/kinds.ts';
import type { SkyCloud, SkyCluster, SkyJob } from '../api/types.gen.ts';
import { systemClock, type Clock } from '../clock.ts';
import { type Api, api } from '../kube/api.ts';
import { kubeMetrics } from '../kube/metrics.ts';
import { connect, type Transport } from '../kube/transport.ts';
import { chooseCluster } from './environment.ts';
import type { Given } from './usage.ts';

export interface Desk {
  readonly given: Given;
  readonly clock: Clock;
  readonly version: string;
  readonly stdout: Writable;
  /** Writes one line for people. */
  readonly say: (line: string) => void;
  /** Writes one line that is no part of the answer. */
  readonly note: (line: string) => void;
}

export interface Session extends Desk {
  readonly transport: Transport;
  readonly clouds: Api<SkyCloud>;
  readonly clusters: Api<SkyCluster>;
  readonly jobs: Api<SkyJob>;
  readonly namespace: string;
}

/** Answers the exit code. Throws UsageError, KubeError. */
export type Run = (session: Session) => Promise<number>;
/** Without a cluster. Answers the exit code. Throws UsageError. */
export type LocalRun = (desk: Desk) => Promise<number>;

export interface Output {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export function deskOf(given: Given, { stdout, stderr }: Output): Desk {
  return {
    given,
    clock: systemClock,
    version,
    stdout,
    say: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
  };
}

export async function inSession(desk: Desk, run: Run): Promise<number> {
  const { given } = desk;
  const choice = chooseCluster(given.text('kubeconfig'), given.text('context'));
  const transport = await connect({
    kubeconfig: choice.kubeconfig,
    context: choice.context,
    userAgent: `kubectl-sky/${version}`,
    clock: systemClock,
    metrics: kubeMetrics(),
  });
  try {
    return await run({
      ...desk,
      transport,
      clouds: api(transport, SKY_CLOUDS),
      clusters: api(transport, SKY_CLUSTERS),
      jobs: api(transport, SKY_JOBS),
      namespace: given.text('namespace') ?? choice.namespace,
    });
  } finally {
    await transport.close();
  }
}

/** Objects of the namespace, or with -A of all. */
export function scopeOf({ given, namespace }: Session): { namespace?: string } {
  return given.has('all-namespaces') ? {} : { namespace };
}
