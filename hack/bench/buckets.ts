/** B5: how much of what EC2's buckets allow is used when 50,000 machines are wanted at once, on a virtual clock. */
import { manifest } from '../../src/clouds/aws/manifest.ts';
import { rateBudget } from '../../src/controllers/accounts/budget.ts';
import { type FakeClock, fakeClock } from '../../test/support/clock.ts';
import { environment, type Report, rounded, SEED, seeded, spreadOf } from './measure.ts';
import type { Options } from './options.ts';

const MACHINES = 50_000;
const GANG = 100;
const LEAST_SHARE = 0.98;
/** Of the retrying client, as SDKs do it. */
const BACKOFF = { firstMs: 1_000, mostMs: 60_000 } as const;

const REGION = { region: 'us-east-1' };
const CALLS = bucketOf('RunInstances');
const LAUNCHED = bucketOf('RunInstances machines');

interface Outcome {
  /** Virtual milliseconds until the last machine was accepted. */
  readonly ms: number;
  readonly throttles: number;
}

export async function buckets({ quick }: Options): Promise<Report> {
  const gangs = (quick ? MACHINES / 10 : MACHINES) / GANG;
  const ideal = idealMs(gangs);
  const [paced, naive] = [await run(gangs, pacedClient), await run(gangs, retryingClient)];
  const share = rounded(ideal / paced.ms);
  return {
    name: 'buckets',
    ...environment(),
    seed: SEED,
    params: { machines: gangs * GANG, gang: GANG, calls: CALLS, launched: LAUNCHED },
    runs: [paced.ms],
    metric: spreadOf([paced.ms], 'ms'),
    floor: { what: 'the buckets, full at the start and never idle', ...spreadOf([ideal], 'ms') },
    more: {
      clock: 'virtual',
      share,
      throttles: paced.throttles,
      retrying: { share: rounded(ideal / naive.ms), throttles: naive.throttles },
    },
    peers: null,
    checks: [
      { name: `at least ${LEAST_SHARE} of what the buckets allow`, ok: quick || share >= LEAST_SHARE },
      { name: 'no call is throttled', ok: paced.throttles === 0 },
    ],
    warm: 'none: nothing is timed',
  };
}

function bucketOf(name: string): { readonly refillPerSecond: number; readonly burst: number } {
  const limit = manifest.limits[name];
  if (!limit) throw new Error(`AWS has no limit ${name}`);
  return limit;
}

function idealMs(gangs: number): number {
  const seconds = [
    (gangs - CALLS.burst) / CALLS.refillPerSecond,
    (gangs * GANG - LAUNCHED.burst) / LAUNCHED.refillPerSecond,
  ];
  return Math.max(...seconds) * 1_000;
}

/** The cloud's side: both buckets full, and a call that finds too little takes nothing. */
class Cloud {
  readonly #clock: FakeClock;
  readonly #levels = new Map([CALLS, LAUNCHED].map((limit) => [limit, limit.burst]));
  #at = 0;
  throttles = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  launches(): boolean {
    const now = this.#clock.monotonic();
    for (const [limit, level] of this.#levels)
      this.#levels.set(limit, Math.min(limit.burst, level + ((now - this.#at) / 1_000) * limit.refillPerSecond));
    this.#at = now;
    const taken = new Map([
      [CALLS, 1],
      [LAUNCHED, GANG],
    ]);
    // A rounding error of the refill is no throttle.
    const fits = [...taken].every(([limit, units]) => (this.#levels.get(limit) ?? 0) >= units - 1e-6);
    if (fits) for (const [limit, units] of taken) this.#levels.set(limit, (this.#levels.get(limit) ?? 0) - units);
    else this.throttles += 1;
    return fits;
  }
}

type Client = (cloud: Cloud, clock: FakeClock) => () => Promise<void>;

/** As the operator launches. */
const pacedClient: Client = (cloud, clock) => {
  const budget = rateBudget(manifest.limits, clock);
  const { signal } = new AbortController();
  return async () => {
    await budget.take('RunInstances', signal, REGION);
    await budget.take('RunInstances machines', signal, { ...REGION, units: GANG });
    while (!cloud.launches()) {
      budget.throttled('RunInstances', REGION);
      await budget.take('RunInstances', signal, REGION);
    }
  };
};

/** Sends at once, and after a throttle again, later and later. */
const retryingClient: Client = (cloud, clock) => {
  const random = seeded(SEED);
  return async () => {
    for (let pauseMs: number = BACKOFF.firstMs; !cloud.launches(); pauseMs = Math.min(pauseMs * 2, BACKOFF.mostMs))
      await clock.sleep(pauseMs * (0.5 + random() / 2));
  };
};

async function run(gangs: number, clientOf: Client): Promise<Outcome> {
  const clock = fakeClock();
  const cloud = new Cloud(clock);
  const launch = clientOf(cloud, clock);
  const acceptedAt: number[] = [];
  const launches = Array.from({ length: gangs }, async () => {
    await launch();
    acceptedAt.push(clock.monotonic());
  });
  while (acceptedAt.length < gangs) await clock.advance(60_000);
  await Promise.all(launches);
  return { ms: Math.max(...acceptedAt), throttles: cloud.throttles };
}
