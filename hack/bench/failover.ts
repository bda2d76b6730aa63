/** B4: what a failover costs beside the cloud's refusal and the write of the next intent, with a real operator and API server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

interface Step {
  /** From the cloud's refusal to the next launch that reaches it. */
  readonly gapMs: number;
  /** Of it, the API server's time with our status write. */
  readonly writeMs: number;
}

/** Lets every place refuse, and resolves with the steps from one to the next. */
async function exhaust(world: World): Promise<Step[]> {
  await world.sim.do('set-capacity', { count: 0 });
  await world.sim.plan({ match: { op: 'launch' }, edge: 'validated', action: 'delay', params: { ms: ANSWER_MS } });
  await world.apply('SkyCluster', CLUSTER, { resources: { cpus: '2+' } });
  for (const end = Date.now() + WAIT_MS; !isExhausted(await world.get('skycluster', CLUSTER)); await delay(500))
    if (Date.now() > end) throw new Error(`not every place was tried within ${WAIT_MS / 1_000} s`);
  const launches = (await world.sim.trace()).filter(({ op }) => op === 'launch');
  const refusedAt = launches.filter(({ edge }) => edge === 'validated').map(({ t }) => t + ANSWER_MS);
  const sentAt = launches.filter(({ edge }) => edge === 'received').map(({ t }) => t);
  const writes = (await world.plane.audit()).filter(
    ({ resource, subresource, stage, name }) =>
      resource === 'skyclusters' && subresource === 'status' && stage === 'ResponseComplete' && name === CLUSTER,
  );
  return sentAt.slice(1).map((sent, step) => {
    const refused = refusedAt[step] ?? sent;
    const within = writes.filter(({ at }) => at >= refused - 1 && at <= sent);
    return { gapMs: sent - refused, writeMs: within.reduce((sum, { tookMs }) => sum + tookMs, 0) };
  });
}

function isExhausted(cluster: SkyCluster | undefined): boolean {
  return cluster?.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True') ?? false;
}

function reportOf(places: number, steps: readonly Step[]): Report {
  const own = spreadOf(
    steps.map(({ gapMs, writeMs }) => Math.max(0, gapMs - writeMs)),
    'ms',
  );
  return {
    name: 'failover',
    ...environment(),
    seed: SEED,
    params: { places, answerMs: ANSWER_MS },
    runs: [own.p50],
    metric: own,
    floor: {
      what: "the write of the next intent, by the API server's own clock",
      ...spreadOf(
        steps.map(({ writeMs }) => writeMs),
        'ms',
      ),
    },
    more: { steps: steps.length, launchesPerPlace: rounded((steps.length + 1) / places) },
    peers: null,
    checks: [
      { name: 'every place is asked once', ok: steps.length + 1 === places },
      { name: `at most ${MOST_OWN_MS} ms of our own at the median`, ok: own.p50 <= MOST_OWN_MS },
    ],
    warm: 'none',
  };
}
