/** `cost`: what was spent, and what is being spent, by object. */
import type { SkyCluster, SkyJob } from '../api/types.gen.ts';
import { isJson, sayJson } from './json.ts';
import { EXIT, isOwnedBy, type Spending, spendingOf } from './objects.ts';
import { scopeOf, type Session } from './session.ts';
import { dollars, table } from './text.ts';

export interface Spender extends Spending {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export async function cost(session: Session): Promise<number> {
  const scope = scopeOf(session);
  const [clusters, jobs] = await Promise.all([session.clusters.list(scope), session.jobs.list(scope)]);
  const spenders = spendersOf(clusters.items, jobs.items, session.clock.now());
  if (isJson(session)) return sayJson(session, spenders);
  session.stdout.write(costTable(spenders, scope.namespace === undefined) ?? 'Nothing was spent.\n');
  return EXIT.ok;
}

/** Machines are counted once: those of a job's own cluster by the cluster while it is there, by the job afterwards. */
export function spendersOf(clusters: readonly SkyCluster[], jobs: readonly SkyJob[], now: number): Spender[] {
  const payers = jobs.filter((job) => job.spec.cluster && !clusters.some((cluster) => isOwnedBy(cluster, job)));
  return [...clusters, ...payers].flatMap(({ kind, metadata, status }) => {
    const { namespace = '', name } = metadata;
    return status?.cost ? [{ kind, namespace, name, ...spendingOf(status.cost, now) }] : [];
  });
}

export function costTable(spenders: readonly Spender[], namespaces: boolean): string | undefined {
  if (spenders.length === 0) return undefined;
  const sum = (of: (one: Spender) => number) => dollars(spenders.reduce((total, one) => total + of(one), 0));
  return table([
    ['NAMESPACE', 'KIND', 'NAME', 'SPENT', 'PER HOUR'],
    ...spenders.map((one) => [
      namespaces ? one.namespace : '',
      one.kind,
      one.name,
      dollars(one.total),
      dollars(one.rate),
    ]),
    ['', '', 'total', sum(({ total }) => total), sum(({ rate }) => rate)],
  ]);
}
