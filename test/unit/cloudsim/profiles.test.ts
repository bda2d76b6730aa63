import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { profiles } from '../../../src/cloudsim/profiles.ts';
import { billableThings, spend } from '../../../src/cloudsim/queries.ts';
import { startSim } from '../../support/sim.ts';
import type { Sim } from '../../support/sim.ts';

/** A simulator that boots a machine a simulated second after its launch. Time stands still but for steps. */
const STILL = 0.001;

interface Fact {
  readonly of: 'named' | 'accepted' | 'flaky-gpu';
  readonly says: string;
  readonly holds: (sim: Sim) => Promise<void>;
}

const facts: readonly Fact[] = [
  {
    of: 'named',
    says: 'answers a launch with an operation that is done when the machine runs',
    async holds(sim) {
      const { status, body } = await launch(sim);
      assert.deepEqual([status, body.operation?.status], [202, 'running']);
      assert.equal((await operation(sim, body)).status, 'running');
      await passed(sim, 2);
      await until(async () => (await operation(sim, body)).status === 'done');
      assert.equal((await sim.state())[0]?.state, 'running');
    },
  },
  {
    of: 'named',
    says: 'tells by the operation that there was no room, and fails the whole gang',
    async holds(sim) {
      await sim.do('set-capacity', { count: 2 });
      const { status, body } = await launch(sim, { count: 3, names: ['a', 'b', 'c'] });
      assert.equal(status, 202);
      await passed(sim, 2);
      await until(async () => (await operation(sim, body)).error?.code === 'InsufficientCapacity');
      assert.deepEqual(await states(sim), ['failed', 'failed', 'failed']);
      assert.deepEqual(await sim.billableNow(), []);
    },
  },
  {
    of: 'named',
    says: 'has each name of a region once, also while its machine is removed, and again when that is gone',
    async holds(sim) {
      const { body } = await launch(sim);
      assert.deepEqual(codeOf(await launch(sim)), [409, 'AlreadyExists']);
      assert.equal((await launch(sim, { region: 'us-west' })).status, 202);
      await call(sim, 'POST', 'remove', { instance_id: body.instance_id });
      assert.deepEqual(codeOf(await launch(sim)), [409, 'AlreadyExists']);
      await passed(sim, 3);
      await until(async () => (await launch(sim)).status === 202);
    },
  },
  {
    of: 'named',
    says: 'says who has a name, and 404 of one that is free',
    async holds(sim) {
      const { body } = await launch(sim);
      assert.equal((await call(sim, 'GET', 'names/one?region=us-east')).body.id, body.instance_id);
      assert.equal((await call(sim, 'GET', 'names/one?region=us-west')).status, 404);
      assert.equal((await call(sim, 'GET', 'names/two?region=us-east')).status, 404);
    },
  },
  {
    of: 'named',
    says: 'bills a disk and an address beside each machine, and ends them with it',
    async holds(sim) {
      const { body } = await launch(sim);
      assert.deepEqual(await beside(sim), ['address', 'disk']);
      assert.deepEqual(codeOf(await call(sim, 'DELETE', 'disks/us-east-one-disk')), [409, 'IncorrectState']);
      await passed(sim, 3_600);
      assert.ok(spend(await sim.ledger(), 0, Infinity) >= 0.006, 'an hour of a disk and an address is free');
      await call(sim, 'POST', 'remove', { instance_id: body.instance_id });
      await passed(sim, 3);
      await until(async () => (await beside(sim)).length === 0);
    },
  },
  {
    of: 'named',
    says: 'leaves disk and address of a launch that failed, and with them its name, until somebody removes all of it',
    async holds(sim) {
      await sim.do('set-capacity', { count: 0 });
      const { body } = await launch(sim, { tags: { 'sky-uid': 'u' } });
      await passed(sim, 2);
      await until(async () => (await states(sim))[0] === 'failed');
      await sim.do('set-capacity', { count: 10 });
      assert.deepEqual(await beside(sim), ['address', 'disk']);
      assert.deepEqual(codeOf(await launch(sim)), [409, 'AlreadyExists']);
      assert.deepEqual((await call(sim, 'GET', 'disks')).list[0]?.tags, { 'sky-uid': 'u' });
      assert.equal((await call(sim, 'POST', 'remove', { instance_id: body.instance_id })).status, 200);
      assert.deepEqual(codeOf(await launch(sim)), [409, 'AlreadyExists']);
      assert.equal((await call(sim, 'DELETE', 'disks/us-east-one-disk')).status, 200);
      assert.equal((await call(sim, 'DELETE', 'addresses/us-east-one-address')).status, 200);
      assert.equal((await launch(sim)).status, 202);
    },
  },
  {
    of: 'named',
    says: 'takes no token',
    async holds(sim) {
      assert.deepEqual(await launch(sim, { client_token: 't' }).then(codeOf), [400, 'BadRequest']);
    },
  },
  {
    of: 'accepted',
    says: 'answers 202, and fails afterwards only those machines that find no room, with the reason',
    async holds(sim) {
      await sim.do('set-capacity', { count: 0 });
      await sim.do('set-capacity', { zone: 'us-east-a', count: 2 });
      const { status, body } = await launch(sim, { count: 3, names: ['a', 'b', 'c'] });
      assert.deepEqual([status, Object.keys(body.instances ?? {}).length], [202, 3]);
      await passed(sim, 2);
      await until(async () => !(await states(sim)).includes('pending'));
      assert.deepEqual(await states(sim), ['running', 'running', 'failed']);
      assert.equal((await sim.state())[2]?.reason, 'InsufficientCapacity');
    },
  },
  {
    of: 'accepted',
    says: 'takes ten machines per call and no more',
    async holds(sim) {
      assert.equal((await launch(sim, { count: 10 })).status, 202);
      assert.deepEqual(codeOf(await launch(sim, { count: 11 })), [400, 'Unsupported']);
    },
  },
  {
    of: 'accepted',
    says: 'makes a second machine of a call that is sent again',
    async holds(sim) {
      await launch(sim);
      await launch(sim);
      assert.equal((await sim.billableNow()).length, 2);
    },
  },
  {
    of: 'accepted',
    says: 'bills a stopped machine in full, and says so',
    async holds(sim) {
      const { body } = await launch(sim);
      await call(sim, 'POST', 'stop', { instance_id: body.instance_id });
      await until(async () => (await states(sim))[0] === 'stopped');
      assert.equal((await sim.billableNow()).length, 1);
      assert.equal((await call(sim, 'GET', `instances/${body.instance_id}`)).body.billed, 'full');
    },
  },
  {
    of: 'flaky-gpu',
    says: 'takes no tags, not at the launch and not afterwards',
    async holds(sim) {
      assert.deepEqual(codeOf(await launch(sim, { tags: {} })), [400, 'BadRequest']);
      const { body } = await launch(sim);
      const tagged = await call(sim, 'POST', 'set_tags', { instance_id: body.instance_id, tags: { a: 'b' } });
      assert.equal(tagged.status, 404);
    },
  },
  {
    of: 'flaky-gpu',
    says: 'takes one machine per call',
    async holds(sim) {
      assert.deepEqual(codeOf(await launch(sim, { count: 2 })), [400, 'Unsupported']);
    },
  },
  {
    of: 'flaky-gpu',
    says: 'brings a machine back without accelerators when the plan says so, and shows how many it has',
    async holds(sim) {
      const { body } = await launch(sim, { instance_type: 'a100-8' });
      const id = { instance_id: body.instance_id };
      const gpus = async () => (await call(sim, 'GET', `instances/${body.instance_id}`)).body.gpus;
      const lost = { edge: 'boot', action: 'boot-fault', params: { how: 'missing-gpu' } } as const;
      await sim.plan({ match: { op: 'start', nth: 1 }, ...lost });
      const seen = [];
      for (let round = 0; round < 2; round++) {
        seen.push(await gpus());
        await call(sim, 'POST', 'stop', id);
        await until(async () => (await states(sim))[0] === 'stopped');
        await call(sim, 'POST', 'start', id);
      }
      assert.deepEqual([...seen, await gpus()], [8, 0, 8]);
    },
  },
  {
    of: 'flaky-gpu',
    says: 'goes wrong by itself as its seed has it, and not when a plan says otherwise',
    async holds(sim) {
      const names = Array.from({ length: 60 }, (_, n) => `n${n}`);
      const failures = async (): Promise<string[]> => {
        const all = await Promise.all(names.map(async (name) => [name, (await launch(sim, { name })).status] as const));
        return all.filter(([, status]) => status === 500).map(([name]) => name);
      };
      assert.deepEqual(await failures(), []);
      await using one = await startSim({ profile: 'flaky-gpu', seed: 7, flags: ['--limits=none'] });
      await using other = await startSim({ profile: 'flaky-gpu', seed: 7, flags: ['--limits=none'] });
      const denied = [];
      for (const each of [one, other]) {
        for (const name of names) if ((await launch(each, { name })).status === 500) denied.push(name);
        assert.equal((await each.billableNow()).length, names.length, 'what was denied was not made');
      }
      assert.ok(denied.length >= 2 && denied.length < names.length, `${denied.length} of ${2 * names.length} denied`);
      assert.deepEqual(denied.slice(0, denied.length / 2), denied.slice(denied.length / 2));
    },
  },
];

describe('a simulated cloud of the profile', () => {
  for (const profile of ['named', 'accepted', 'flaky-gpu'] as const) {
    describe(profile, () => {
      let sim: Sim;
      before(async () => {
        sim = await startSim({ profile, bootSeconds: 1, clockFactor: STILL, flags: ['--limits=none'] });
      });
      after(() => sim.stop());
      beforeEach(async () => {
        await sim.reset();
        await sim.plan();
      });
      for (const { says, of, holds } of facts) if (of === profile) it(says, () => holds(sim));
    });
  }
});

describe('the limits of a profile', () => {
  it('hold unless a flag says otherwise: one launch per 12 simulated seconds, one request per second', async () => {
    await using sim = await startSim({ profile: 'flaky-gpu', clockFactor: STILL });
    await sim.plan();
    assert.deepEqual([(await launch(sim)).status, (await launch(sim)).status], [200, 429]);
    await passed(sim, 12);
    assert.equal((await launch(sim)).status, 200);
    const reads = [];
    for (let n = 0; n < 6; n++) reads.push((await call(sim, 'GET', 'whoami')).status);
    assert.deepEqual(reads, [200, 200, 200, 200, 429, 429]);
  });

  it('are told in the seconds of the caller', async () => {
    await using sim = await startSim({ profile: 'flaky-gpu', clockFactor: 6 });
    await sim.plan();
    await launch(sim);
    const { retryAfter } = await launch(sim);
    assert.ok(retryAfter === '1' || retryAfter === '2', `Retry-After: ${retryAfter}`);
  });

  it('are none but of the profile that has them', () => {
    assert.deepEqual(
      [...profiles.values()].filter(({ rates }) => rates).map(({ name }) => name),
      ['flaky-gpu'],
    );
  });
});

interface Body {
  readonly id?: string;
  readonly instance_id?: string;
  readonly instances?: object;
  readonly operation?: { readonly id: string; readonly status: string };
  readonly status?: string;
  readonly billed?: string;
  readonly gpus?: number;
  readonly error?: { readonly code: string };
}

interface Answered {
  readonly status: number;
  readonly body: Body;
  readonly list: readonly { readonly tags?: object }[];
  readonly retryAfter: string | null;
}

function launch(sim: Sim, change: object = {}): Promise<Answered> {
  return call(sim, 'POST', 'launch', { name: 'one', instance_type: 'cpu-2', region: 'us-east', ...change });
}

async function call(sim: Sim, method: string, path: string, body?: object): Promise<Answered> {
  const headers = { authorization: `Bearer ${sim.apiKey}` };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(`${sim.api}/v1/${path}`, init);
  const said: unknown = await response.json();
  return {
    status: response.status,
    body: said as Body,
    list: Array.isArray(said) ? said : [],
    retryAfter: response.headers.get('retry-after'),
  };
}

async function operation(sim: Sim, { operation: started }: Body): Promise<Body> {
  return (await call(sim, 'GET', `operations/${started?.id}`)).body;
}

function codeOf({ status, body }: Answered): [number, string | undefined] {
  return [status, body.error?.code];
}

async function states(sim: Sim): Promise<string[]> {
  return (await sim.state()).map(({ state }) => state);
}

/** What costs money beside machines. */
async function beside(sim: Sim): Promise<string[]> {
  return billableThings(await sim.ledger())
    .map(({ kind }) => kind)
    .sort();
}

function passed(sim: Sim, seconds: number): Promise<void> {
  return sim.clock({ step: seconds });
}

/** Waits for a condition; the test's own timeout ends it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(10);
}
