/** B4: what a failover costs beside the cloud's answers and the write of the next intent, with a real operator and API server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyCluster } from '../../src/api/types.gen.ts';
import { endControlPlane } from '../../test/support/controlplane.ts';
import { aWorld, type World } from '../../test/support/world.ts';
import { environment, type Report, rounded, SEED, spreadOf } from './measure.ts';
import type { Options } from './options.ts';

const REGIONS = 20;
const ZONES = 10;
const QUICK_REGIONS = 3;
const ANSWER_MS = 20;
/** Of our own per step. */
const MOST_OWN_MS = 1;
const WAIT_MS = 600_000;
const CLUSTER = 'nowhere';

export async function failover({ quick }: Options): Promise<Report> {
  const regions = quick ? QUICK_REGIONS : REGIONS;
  const folder = await mkdtemp(join(tmpdir(), 'sky-failover-'));
  try {
    const catalog = join(folder, 'catalog.csv');
    await writeFile(catalog, catalogOf(regions));
    await using world = await aWorld({
      sim: { isolation: 'none', flags: [`--catalog=${catalog}`] },
      config: { log: { level: 'info' } },
    });
    return reportOf(regions * ZONES, await exhaust(world));
  } finally {
    await endControlPlane();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One type in so many zones; each region is a little dearer than the one before. */
function catalogOf(regions: number): string {
  const header =
    'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone';
  const rows = Array.from({ length: regions * ZONES }, (_, n) => {
    const region = Math.floor(n / ZONES);
    return `m,,,2,8,,${(0.1 + region / 100).toFixed(2)},,r${region},r${region}-${n % ZONES}`;
  });
  return [header, ...rows].join('\n');
}

/** Means over all steps, ms, as the operator itself has measured them. */
interface Steps {
  readonly launches: number;
  /** From one launch that reaches the cloud to the next. */
  readonly stepMs: number;
  /** Of it, calls to the cloud. */
  readonly cloudMs: number;
  /** Of it, the write that ends one attempt and intends the next. */
  readonly writeMs: number;
  /** Of that, the API server's own time, ms each. */
  readonly serverMs: readonly number[];
}

/** Lets every place refuse. */
async function exhaust(world: World): Promise<Steps> {
  await world.sim.do('set-capacity', { count: 0 });
  await world.sim.plan({ match: { op: 'launch' }, edge: 'validated', action: 'delay', params: { ms: ANSWER_MS } });
  const before = await spent(world);
  await world.apply('SkyCluster', CLUSTER, { resources: { cpus: '2+' } });
  for (const end = Date.now() + WAIT_MS; !isExhausted(await world.get('skycluster', CLUSTER)); await delay(500))
    if (Date.now() > end) throw new Error(`not every place was tried within ${WAIT_MS / 1_000} s`);
  const after = await spent(world);
  const sentAt = (await world.sim.trace())
    .filter(({ op, edge }) => op === 'launch' && edge === 'received')
    .map(({ t }) => t);
  const writes = (await world.plane.audit()).filter(
    ({ resource, subresource, stage, name }) =>
      resource === 'skyclusters' && subresource === 'status' && stage === 'ResponseComplete' && name === CLUSTER,
  );
  const launches = sentAt.length;
  return {
    launches,
    stepMs: ((sentAt.at(-1) ?? NaN) - (sentAt[0] ?? NaN)) / (launches - 1),
    cloudMs: (after.cloudMs - before.cloudMs) / launches,
    writeMs: (after.writeMs - before.writeMs) / launches,
    serverMs: writes.map(({ tookMs }) => tookMs),
  };
}

/** What the operator has waited for since it began, ms. */
async function spent({ metricsUrl }: World): Promise<{ readonly cloudMs: number; readonly writeMs: number }> {
  const lines = (await (await fetch(metricsUrl)).text()).split('\n');
  const sum = (series: string, ...labels: readonly string[]): number =>
    lines
      .filter((line) => line.startsWith(`${series}_sum`) && labels.every((label) => line.includes(label)))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)) * 1_000, 0);
  const calls = 'sky_cloud_request_duration_seconds';
  return {
    cloudMs: sum(calls, 'operation="launch"') + sum(calls, 'operation="prepare"'),
    writeMs: sum('rest_client_request_duration_seconds', 'verb="PATCH"'),
  };
}

function isExhausted(cluster: SkyCluster | undefined): boolean {
  return cluster?.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True') ?? false;
}

function reportOf(places: number, steps: Steps): Report {
  const { launches, stepMs, cloudMs, writeMs, serverMs } = steps;
  const own = rounded(stepMs - cloudMs - writeMs);
  return {
    name: 'failover',
    ...environment(),
    seed: SEED,
    params: { places, answerMs: ANSWER_MS },
    runs: [own],
    metric: spreadOf([own], 'ms'),
    floor: {
      what: "the write of the next intent, by the API server's own clock",
      ...spreadOf(serverMs, 'ms'),
    },
    more: {
      launches,
      stepMs: rounded(stepMs),
      cloudMs: rounded(cloudMs),
      writeMs: rounded(writeMs),
      load: loadavg().map(rounded),
    },
    peers: null,
    checks: [
      { name: 'every place is asked once', ok: launches === places },
      { name: `at most ${MOST_OWN_MS} ms of our own, in the mean of all steps`, ok: own <= MOST_OWN_MS },
    ],
    warm: 'none',
  };
}
