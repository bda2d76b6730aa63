import assert from 'node:assert/strict';
import { startSim } from '../../support/sim.ts';
import type { Sim } from '../../support/sim.ts';

interface Told {
  readonly events: readonly { readonly kind: string; readonly instance_id: string; readonly seconds_left?: number }[];
  readonly next: number;
}

describe('the events of the simulated cloud', () => {
  let sim: Sim;
  before(async () => void (sim = await startSim()));
  after(() => sim.stop());
  afterEach(() => sim.reset());

  it('are told from now on to who names no position, and then as they happen', async () => {
    const id = await machine();
    const { next, events } = await ask('');
    assert.deepEqual(events, []);
    const noticed = told(next, 'notice');
    await sim.do('preempt', { instance: id, notice: 90 });
    const notice = (await noticed).event;
    assert.deepEqual([notice?.instance_id, notice?.seconds_left], [id, 90]);
    await sim.clock({ step: 91 });
    assert.equal((await told((await noticed).next, 'preempted')).event?.instance_id, id);
  });

  it('are held back as long as nothing happens, and then there are none', async () => {
    assert.deepEqual(await ask('?after=0&wait=0'), { events: [], next: 0 });
    const { next, events } = await ask('?after=0&wait=1');
    assert.deepEqual([next, events], [0, []]);
  });

  it('come twice and in another order when the plan says so', async () => {
    await machine();
    await machine();
    await sim.plan({ match: { op: 'events' }, edge: 'received', action: 'duplicate' });
    const ids = (await ask('?after=0')).events.map((event) => event.instance_id);
    assert.deepEqual(ids, [...ids].reverse());
    assert.ok(new Set(ids).size < ids.length);
  });

  it('begin anew for a position that a reset has left behind', async () => {
    assert.deepEqual(await ask('?after=4711'), { events: [], next: 0 });
  });

  it('need a key, and a profile that has them', async () => {
    assert.equal((await fetch(`${sim.api}/v1/events`)).status, 401);
    await using plain = await startSim({ profile: 'fluffy' });
    const headers = { authorization: `Bearer ${plain.apiKey}` };
    assert.equal((await fetch(`${plain.api}/v1/events`, { headers })).status, 404);
  });

  async function machine(): Promise<string> {
    const body = JSON.stringify({ name: 'm', instance_type: 'cpu-2', region: 'us-east', market: 'spot' });
    const answer = await call('launch', { method: 'POST', body });
    return (answer as { readonly instance_id: string }).instance_id;
  }

  /** The first event of a kind behind a position. */
  async function told(after: number, kind: string) {
    for (let next = after; ;) {
      const page = await ask(`?after=${next}&wait=20`);
      const event = page.events.find((each) => each.kind === kind);
      next = page.next;
      if (event) return { event, next };
    }
  }

  async function ask(query: string): Promise<Told> {
    return (await call(`events${query}`, {})) as Told;
  }

  async function call(path: string, init: RequestInit): Promise<unknown> {
    const headers = { authorization: `Bearer ${sim.apiKey}` };
    const response = await fetch(`${sim.api}/v1/${path}`, { ...init, headers });
    assert.equal(response.status, 200);
    return response.json();
  }
});
