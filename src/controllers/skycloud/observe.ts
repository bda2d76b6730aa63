import { problemsOf, type Schema } from '../../api/schema-check.ts';
import type { SkyCloud, SkyCloudStatus } from '../../api/types.gen.ts';
import { addressProblem } from '../../catalog/download.ts';
import { CatalogRefused, trusted } from '../../catalog/load.ts';
import { refreshAfterMs, retryAfterMs } from '../../catalog/refresh.ts';
import { moneyOf, microOf } from '../../provision/money.ts';
import type { Account } from '../accounts/account.ts';
import type { Deps } from '../deps.ts';
import { catalogPolicy, readCatalog } from './catalogs.ts';
import { checkCredential } from './credential.ts';
import type { CatalogFact, CloudFacts } from './decide.ts';
import type { CatalogTrouble, Known, KnownCatalog } from './known.ts';

/** What earlier passes found out; a restart asks again. */
export class CloudMemory {
  readonly #known = new Map<string, Known>();

  of(name: string): Known {
    const known = this.#known.get(name) ?? {};
    this.#known.set(name, known);
    return known;
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}

export async function observeCloud(
  cloud: SkyCloud,
  deps: Deps,
  memory: CloudMemory,
  signal: AbortSignal,
): Promise<CloudFacts> {
  const known = memory.of(cloud.metadata.name);
  const provider = await deps.provider(cloud.spec.provider);
  const invalid = provider
    ? invalidSpec(cloud, provider.manifest.configSchema, deps)
    : `spec.provider: ${cloud.spec.provider} is not a provider of this operator; use one of ${deps.providerNames.join(', ')}`;
  if (provider && invalid === undefined) {
    await checkCredential({ cloud, provider, known }, deps, signal);
    await refreshCatalog({ cloud, known }, deps, signal);
  }
  return {
    cloud,
    invalid,
    credential: known.checked?.fact,
    catalog: catalogFact(known),
    ...useOf(cloud, deps),
    exclusions: undefined,
  };
}

function invalidSpec(cloud: SkyCloud, settings: Schema, deps: Pick<Deps, 'config'>): string | undefined {
  const [wrong] = problemsOf(cloud.spec.config, settings, ['spec', 'config']);
  if (wrong) return `${wrong.path.join('.')}: ${wrong.text}`;
  if (cloud.spec.deadManSeconds) return 'spec.deadManSeconds: is not supported yet; remove it';
  if (cloud.spec.plugin) return 'spec.plugin: is not supported yet; remove it';
  const { source, url = '' } = cloud.spec.catalog ?? {};
  const problem = source === 'URL' ? addressProblem(url, catalogPolicy(deps)) : undefined;
  return problem === undefined ? undefined : `spec.catalog.url: ${problem}`;
}

interface Subject {
  readonly cloud: SkyCloud;
  readonly known: Known;
}

async function refreshCatalog(subject: Subject, deps: Deps, signal: AbortSignal): Promise<void> {
  const { cloud, known } = subject;
  if (!known.account) return;
  const key = JSON.stringify(cloud.spec.catalog ?? {});
  if (isRefreshDue(known, key, deps.clock.now()))
    await readAgain({ ...subject, account: known.account, key }, deps, signal);
  spread(known);
}

function isRefreshDue({ catalog, catalogTrouble }: Known, key: string, now: number): boolean {
  if (catalogTrouble?.key === key) return now >= catalogTrouble.dueAt;
  return catalog?.key !== key || now >= catalog.dueAt;
}

type Source = Subject & { readonly account: Account; readonly key: string };

/** The last good catalog goes on being used when its source fails, or gives a version that cannot be trusted. */
async function readAgain(source: Source, deps: Deps, signal: AbortSignal): Promise<void> {
  const { known } = source;
  try {
    known.catalog = await newest(source, deps, signal);
    delete known.catalogTrouble;
  } catch (error) {
    known.catalogTrouble = troubleAfter(error, source, deps.clock.now());
  }
}

async function newest({ cloud, known, account, key }: Source, deps: Deps, signal: AbortSignal): Promise<KnownCatalog> {
  const { source = 'Builtin', refreshIntervalSeconds } = cloud.spec.catalog ?? {};
  const before = versionOf(known, key);
  const read = await readCatalog({ cloud, account, etag: before?.etag }, deps, signal);
  const at = deps.clock.now();
  const dueAt = at + refreshAfterMs(source, refreshIntervalSeconds, deps.random.next());
  if (read.kind === 'Same' && before) return { ...before, at, dueAt };
  if (read.kind === 'Same') throw new Error('the server says that nothing changed, though nothing was read before');
  const { snapshot, skipped } = trusted(read.parsed, before?.snapshot.rows ?? 0);
  return { at, dueAt, key, snapshot, skipped, etag: read.etag };
}

/** Another source may well be smaller, and its tag says nothing of this one. */
function versionOf({ catalog }: Known, key: string): KnownCatalog | undefined {
  return catalog?.key === key ? catalog : undefined;
}

function troubleAfter(error: unknown, { cloud, known, key }: Source, now: number): CatalogTrouble {
  const before = known.catalogTrouble?.key === key ? known.catalogTrouble.failures : 0;
  const failures = before + 1;
  return {
    dueAt: now + retryAfterMs(failures, cloud.spec.catalog?.refreshIntervalSeconds),
    key,
    failures,
    message: error instanceof Error ? error.message : String(error),
    refused: error instanceof CatalogRefused,
  };
}

/** Every region of the catalog is listed for machines, allowed for launches or not: one may have been allowed before. */
function spread(known: Known): void {
  const regions = known.catalog?.snapshot.regionNames;
  if (!known.account || !regions || regions.join() === known.account.regions.join()) return;
  known.account = { ...known.account, regions };
}

function catalogFact(known: Known): CatalogFact {
  const trouble = known.catalogTrouble;
  if (!known.catalog) return { kind: 'None', message: trouble?.message ?? 'the catalog was not read yet' };
  const { snapshot, at, skipped } = known.catalog;
  const status = {
    rows: snapshot.rows,
    instanceTypes: snapshot.instanceTypes,
    accelerators: snapshot.acceleratorNames.length,
    regions: snapshot.regionNames.length,
    hash: `sha256:${snapshot.hash}`,
    refreshedAt: new Date(at).toISOString(),
  };
  if (!trouble) return { kind: 'Fresh', status, skipped };
  return { kind: trouble.refused ? 'Rejected' : 'Stale', message: trouble.message, status };
}

function useOf(cloud: SkyCloud, deps: Deps): Pick<CloudFacts, 'users' | 'nodes' | 'hourlyPrice' | 'orphans'> {
  const { name } = cloud.metadata;
  const clusters = deps.stores.clusters
    .by('cloud', name)
    .filter((cluster) => cluster.status?.attempt || (cluster.status?.nodes ?? []).length > 0);
  const price = clusters.reduce((sum, cluster) => sum + microOf(cluster.status?.cost?.ratePerHour), 0);
  return {
    users: clusters.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort(),
    nodes: countNodes(name, deps),
    hourlyPrice: moneyOf(price),
    orphans: deps.orphans.get(name),
  };
}

function countNodes(cloud: string, deps: Deps): NonNullable<SkyCloudStatus['nodes']> {
  const count = { running: 0, pending: 0, stopped: 0 };
  for (const uid of deps.sightings.uids()) {
    for (const { node, cloud: where } of deps.sightings.of(uid)) {
      if (where !== cloud) continue;
      if (node.state === 'running' || node.state === 'pending' || node.state === 'stopped') count[node.state] += 1;
    }
  }
  return count;
}
