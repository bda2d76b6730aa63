import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { launchesPerAttempt, secretsSeen, spend, touchedDecoys } from '../../../src/cloudsim/queries.ts';
import { startSim } from '../../support/sim.ts';
import type { Sim, SimOptions } from '../../support/sim.ts';

describe('the simulated cloud', () => {
  let sim: Sim;
  before(async () => void (sim = await startSim()));
  after(() => sim.stop());
  afterEach(() => sim.reset());

  it('refuses a key it does not know, and fields it does not know by name', async () => {
    const strange = await fetch(`${sim.api}/v1/whoami`, { headers: { authorization: 'Bearer nonsense' } });
    assert.equal(strange.status, 401);
    const refused = await launch(sim, { colour: 'red', shape: 'round' });
    assert.deepEqual(refused, { status: 400, code: 'BadRequest', message: 'unknown fields: colour, shape' });
  });

  it('commits what it later denies: 500 but created', async () => {
    await sim.plan({ match: { op: 'launch' }, edge: 'committed', action: 'fail', params: { code: 'InternalError' } });
    assert.equal((await launch(sim)).status, 500);
    assert.equal((await sim.billableNow()).length, 1);
  });

  it('denies what it never commits: refused on arrival', async () => {
    await sim.plan({
      match: { op: 'launch', nth: 1 },
      edge: 'validated',
      action: 'fail',
      params: { code: 'Maintenance' },
    });
    assert.equal((await launch(sim)).status, 503);
    assert.equal((await launch(sim)).status, 200);
    assert.equal((await sim.billableNow()).length, 1);
  });

  it('creates twice when a call without a token arrives twice, and once with a token', async () => {
    await sim.plan({ match: { op: 'launch' }, edge: 'received', action: 'duplicate' });
    await launch(sim, { name: 'bare' });
    await launch(sim, { name: 'held', client_token: 'one' });
    const names = (await sim.billableNow()).map((instance) => instance.name);
    assert.deepEqual(names, ['bare', 'bare', 'held']);
  });

  it('commits after the caller has hung up', async () => {
    await sim.plan({ match: { op: 'launch' }, edge: 'validated', action: 'delay', params: { ms: 100 } });
    const impatient = new AbortController();
    const call = post(sim, 'launch', { name: 'late', instance_type: 'cpu-2', region: 'us-east' }, impatient.signal);
    await until(async () => (await sim.trace()).some((row) => row.edge === 'validated'));
    impatient.abort();
    await assert.rejects(call);
    await until(async () => (await sim.billableNow()).length === 1);
  });

  it('accepts a removal and does not do it, when told so', async () => {
    const { id = '' } = await launch(sim);
    await sim.plan({ match: { op: 'remove', nth: 1 }, edge: 'validated', action: 'ignore' });
    await post(sim, 'remove', { instance_id: id });
    assert.deepEqual(
      (await sim.state()).map((instance) => instance.state).filter((state) => state === 'terminating'),
      [],
    );
    await post(sim, 'remove', { instance_id: id });
    assert.equal((await sim.state())[0]?.state, 'terminating');
  });

  it('keeps the old plan when a new one is wrong, and names the line', async () => {
    await sim.plan({ match: { op: 'launch' }, edge: 'received', action: 'fail', params: { code: 'Forbidden' } });
    const wrong = { match: {}, edge: 'received', action: 'fail', params: { code: 'Tuesday' } } as const;
    await assert.rejects(
      sim.plan({ match: {}, edge: 'received', action: 'reset' }, wrong),
      /line 2: no error code Tuesday/,
    );
    assert.equal((await launch(sim)).code, 'Forbidden');
  });

  it('gives a gang all or nothing of what a pool has left', async () => {
    await sim.do('set-capacity', { zone: 'eu-north-a', count: 2 });
    const place = { region: 'eu-north', zone: 'eu-north-a' };
    assert.equal((await launch(sim, { ...place, count: 3 })).code, 'InsufficientCapacity');
    assert.equal((await launch(sim, { ...place, count: 2 })).status, 200);
    assert.equal((await launch(sim, place)).code, 'InsufficientCapacity');
    assert.equal((await launch(sim, { region: 'eu-north' })).status, 200);
  });

  it('refuses by quota, price, place and region that is down', async () => {
    await sim.do('set-quota', { region: 'us-west', vcpus: 3 });
    await sim.do('outage', { region: 'eu-north' });
    assert.equal((await launch(sim, { region: 'us-west', count: 2 })).code, 'QuotaExceeded');
    assert.equal((await launch(sim, { market: 'spot', max_price: 0.0001 })).code, 'SpotPriceTooLow');
    assert.equal((await launch(sim, { instance_type: 'cpu-3' })).code, 'Unsupported');
    assert.equal((await launch(sim, { region: 'eu-north' })).code, 'Maintenance');
  });

  it('shows readers an older world, and the ledger the true one', async () => {
    await sim.do('set-lags', { create: 60, ghost: 60 });
    const { id = '' } = await launch(sim);
    assert.deepEqual(await listed(sim), []);
    await sim.clock({ step: 61 });
    assert.deepEqual(await listed(sim), [id]);
    await sim.do('fail-host', { instance: id });
    assert.deepEqual(await listed(sim), [id]);
    assert.equal((await sim.billableNow()).length, 0);
  });

  it('bills by the second, and knows whose machines were touched', async () => {
    const { id = '' } = await launch(sim, {
      instance_type: 'a100-8',
      tags: { 'sky-uid': 'u', 'sky-attempt': '1', note: 'canary' },
    });
    const [decoy = ''] = await sim.decoys({ name: 'sky-foreign' });
    await sim.clock({ step: 3600 });
    await sim.do('fail-host', { instance: id });
    await sim.clock({ step: 3600 });
    assert.deepEqual(touchedDecoys(await sim.ledger()), []);
    await post(sim, 'remove', { instance_id: decoy });
    const rows = await sim.ledger();
    assert.ok(Math.abs(spend(rows, 0, Infinity) - 2.4) < 0.01, 'an hour of a100-8 costs 2.40');
    assert.deepEqual(launchesPerAttempt(rows), new Map([['u/1', 1]]));
    assert.deepEqual(secretsSeen(rows, ['canary', 'clean']), ['canary']);
    assert.equal(touchedDecoys(rows)[0]?.instance?.id, decoy);
  });
});

describe('a simulator that was killed', () => {
  it('finds every row again, and drops a torn one', async () => {
    const data = await mkdtemp(join(tmpdir(), 'sky-ledger-'));
    const options: SimOptions = { data, flags: ['--api-key=kept'] };
    const first = await startSim(options);
    for (const name of ['a', 'b', 'c']) await launch(first, { name });
    const before = await first.ledger();
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');

    await appendFile(join(data, 'ledger.jsonl'), '{"seq":99,"effect":"cre');
    await using second = await startSim(options);
    const created = (rows: typeof before) => rows.filter((row) => row.effect === 'created');
    assert.deepEqual(created(await second.ledger()), created(before));
    await until(async () => (await second.state()).every((instance) => instance.state === 'running'));
    assert.equal((await listed(second)).length, 3);
    await rm(data, { recursive: true });
  });
});

describe('the command line', () => {
  it('ends with 2 for a wrong flag and 3 for a host that cannot serve', async () => {
    await assert.rejects(startSim({ flags: ['--bogus'] }), /code 2/);
    await assert.rejects(startSim({ flags: ['--seed=x'] }), /code 2/);
    await assert.rejects(startSim({ isolation: 'process', flags: ['--sshd=/nowhere'] }), /code 3/);
  });
});

interface Launched {
  readonly status: number;
  readonly id?: string;
  readonly code?: string;
  readonly message?: string;
}

async function launch(sim: Sim, change: Readonly<Record<string, unknown>> = {}): Promise<Launched> {
  const response = await post(sim, 'launch', { name: 'one', instance_type: 'cpu-2', region: 'us-east', ...change });
  const body = (await response.json()) as { instance_id?: string; error?: { code: string; message: string } };
  return { status: response.status, ...(body.instance_id ? { id: body.instance_id } : {}), ...body.error };
}

function post(sim: Sim, call: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { authorization: `Bearer ${sim.apiKey}` };
  return fetch(`${sim.api}/v1/${call}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

async function listed(sim: Sim): Promise<string[]> {
  const response = await fetch(`${sim.api}/v1/list_instances`, { headers: { authorization: `Bearer ${sim.apiKey}` } });
  return Object.keys(((await response.json()) as { instances: object }).instances);
}

/** Waits for a condition; the test's own timeout ends it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20);
}
