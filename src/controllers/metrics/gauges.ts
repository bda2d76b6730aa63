/** Series that are read off the objects at each scrape: nothing to keep in step, and what is gone is no longer shown. */
import { Gauge, type Registry } from 'prom-client';
import type { Condition, SkyCloud, SkyCluster, SkyJob } from '../../api/types.gen.ts';

/** What the series speak of; a follower sees the objects too, so its numbers differ from the leader's only by what is in memory. */
export interface Watched {
  readonly clouds: () => readonly SkyCloud[];
  readonly clusters: () => readonly SkyCluster[];
  readonly jobs: () => readonly SkyJob[];
  readonly orphans: () => ReadonlyMap<string, { readonly count: number; readonly braked: unknown }>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (watched: Watched) => Iterable<Sample>;
}

const FAMILIES: readonly Family[] = [
  {
    name: 'sky_orphans',
    help: 'Machines that carry our key and that no object accounts for.',
    labels: ['skycloud'],
    read: (watched) => perCloud(watched, ({ metadata }) => watched.orphans().get(metadata.name)?.count ?? 0),
  },
  {
    name: 'sky_sweep_braked',
    help: '1 while orphans are left alone until an administrator confirms.',
    labels: ['skycloud'],
    read: (watched) =>
      perCloud(watched, ({ metadata }) => Number(Boolean(watched.orphans().get(metadata.name)?.braked))),
  },
  {
    name: 'sky_credentials_valid',
    help: '1 while the credential of the SkyCloud opens its account.',
    labels: ['skycloud'],
    read: (watched) => perCloud(watched, (cloud) => Number(isTrue(cloud, 'CredentialsValid'))),
  },
  {
    name: 'sky_catalog_rows',
    help: 'Offerings in the catalog in use.',
    labels: ['skycloud'],
    read: (watched) => perCloud(watched, ({ status }) => status?.catalog?.rows ?? 0),
  },
  {
    name: 'sky_catalog_age_seconds',
    help: 'Seconds since the catalog in use was read.',
    labels: ['skycloud'],
    read: (watched) => perCloud(watched, ({ status }) => secondsSince(status?.catalog?.refreshedAt, watched.now())),
  },
  {
    name: 'sky_nodes',
    help: 'Machines that SkyClusters hold, by what the cloud says of them.',
    labels: ['skycloud', 'market', 'state'],
    read: ({ clusters }) =>
      counted(
        clusters().flatMap(({ status }) =>
          (status?.nodes ?? []).map(({ state }) => ({
            skycloud: status?.placement?.cloud ?? '',
            market: status?.placement?.market ?? '',
            state: state ?? 'unknown',
          })),
        ),
      ),
  },
  {
    name: 'sky_hourly_price_usd',
    help: 'USD per hour of everything that SkyClusters hold.',
    labels: ['skycloud', 'market'],
    read: ({ clusters }) =>
      summed(
        clusters().map(({ status }) => [
          { skycloud: status?.placement?.cloud ?? '', market: status?.placement?.market ?? '' },
          Number(status?.cost?.ratePerHour ?? 0),
        ]),
      ),
  },
  {
    name: 'sky_attempts_open',
    help: 'Launches whose end is not known yet.',
    labels: ['skycloud'],
    read: ({ clusters }) =>
      counted(
        clusters().flatMap(({ status }) => (status?.attempt ? [cloudLabel(status.attempt.placement.cloud)] : [])),
      ),
  },
  {
    name: 'sky_attempt_age_seconds_max',
    help: 'Seconds since the oldest open launch began.',
    labels: ['skycloud'],
    read: ({ clusters, now }) =>
      greatest(
        clusters().flatMap(({ status }) =>
          status?.attempt
            ? [[cloudLabel(status.attempt.placement.cloud), secondsSince(status.attempt.startedAt, now())] as const]
            : [],
        ),
      ),
  },
  {
    name: 'sky_exclusions',
    help: 'Places that clusters leave alone for now.',
    labels: ['skycloud', 'reason'],
    read: ({ clusters, now }) =>
      counted(
        clusters().flatMap(({ status }) =>
          (status?.exclusions ?? [])
            .filter(({ expiresAt }) => Date.parse(expiresAt) > now())
            .map(({ cloud, reason }) => ({ skycloud: cloud ?? '', reason })),
        ),
      ),
  },
  {
    name: 'sky_conditions',
    help: 'Objects by the state of their conditions.',
    labels: ['kind', 'type', 'status', 'reason'],
    read: (watched) => counted(allConditions(watched)),
  },
  {
    name: 'sky_termination_age_seconds_max',
    help: 'Seconds since the oldest deletion that is not finished was asked for.',
    labels: ['kind'],
    read: (watched) => {
      const ages = objectsOf(watched).map(
        ({ kind, object }) => [{ kind }, secondsSince(object.metadata.deletionTimestamp, watched.now())] as const,
      );
      return greatest([...KINDS.map((kind) => [{ kind }, 0] as const), ...ages]);
    },
  },
];

export function registerGauges(registry: Registry, watched: Watched): void {
  for (const { name, help, labels, read } of FAMILIES) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const [values, value] of read(watched)) gauge.set(values, value);
      },
    });
  }
}

const KINDS = ['SkyCloud', 'SkyCluster', 'SkyJob'] as const;

function objectsOf({ clouds, clusters, jobs }: Watched) {
  const of = <T>(kind: (typeof KINDS)[number], objects: readonly T[]) => objects.map((object) => ({ kind, object }));
  return [...of('SkyCloud', clouds()), ...of('SkyCluster', clusters()), ...of('SkyJob', jobs())];
}

function allConditions(watched: Watched) {
  return objectsOf(watched).flatMap(({ kind, object }) =>
    ((object.status?.conditions ?? []) as readonly Condition[]).map(({ type, status, reason }) => ({
      kind,
      type,
      status,
      reason,
    })),
  );
}

function perCloud({ clouds }: Watched, value: (cloud: SkyCloud) => number): Sample[] {
  return clouds().map((cloud) => [cloudLabel(cloud.metadata.name), value(cloud)]);
}

function cloudLabel(skycloud = ''): Readonly<Record<string, string>> {
  return { skycloud };
}

function counted(labels: readonly Readonly<Record<string, string>>[]): Iterable<Sample> {
  return summed(labels.map((each) => [each, 1] as const));
}

function summed(samples: readonly Sample[]): Iterable<Sample> {
  return merged(samples, (a, b) => a + b);
}

function greatest(samples: readonly Sample[]): Iterable<Sample> {
  return merged(samples, Math.max);
}

function merged(samples: readonly Sample[], merge: (a: number, b: number) => number): Iterable<Sample> {
  const byKey = new Map<string, Sample>();
  for (const [labels, value] of samples) {
    const key = JSON.stringify(labels);
    byKey.set(key, [labels, merge(byKey.get(key)?.[1] ?? 0, value)]);
  }
  return byKey.values();
}

function isTrue(cloud: SkyCloud, type: string): boolean {
  return cloud.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function secondsSince(instant: string | undefined, now: number): number {
  return instant === undefined ? 0 : Math.max(0, now - Date.parse(instant)) / 1_000;
}
