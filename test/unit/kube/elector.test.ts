import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/log.ts';
import { elector, type Elector, type Ended } from '../../../src/kube/elector.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import type { Lease } from '../../../src/kube/resources.ts';
import type { Call, Transport } from '../../../src/kube/transport.ts';
import { fakeClock, seededRandom, type FakeClock } from '../../support/clock.ts';

/** One Lease behind optimistic locking, and a network that can fail before or after the server acted. */
class LeaseServer {
  lease: Lease | undefined;
  #version = 0;

  transport(network: { mode: 'up' | 'down' | 'answers lost' }): Transport {
    const transport: Transport = {
      request: async (call) => {
        if (network.mode === 'down') throw noAnswer;
        const answer = this.#answer(call);
        if (network.mode === 'answers lost') throw noAnswer;
        return answer;
      },
      stream: () => Promise.reject(noAnswer),
      apart: () => transport,
      close: async () => {},
    };
    return transport;
  }

  #answer({ method, body }: Call): Lease {
    if (method === 'GET' && !this.lease) throw refusal(404, 'NotFound');
    if (method === 'POST' && this.lease) throw refusal(409, 'AlreadyExists');
    const wanted = body as Lease | undefined;
    const isStale = wanted?.metadata.resourceVersion !== this.lease?.metadata.resourceVersion;
    if (method === 'PUT' && isStale) throw refusal(409, 'Conflict');
    if (wanted) this.lease = { ...wanted, metadata: { ...wanted.metadata, resourceVersion: String(++this.#version) } };
    return structuredClone(this.lease) as Lease;
  }
}

const noAnswer = new KubeError({ code: 0, reason: 'NoAnswer', message: 'no answer' });
const refusal = (code: number, reason: string) => new KubeError({ code, reason, message: reason });

interface Candidate {
  readonly elector: Elector;
  readonly network: { mode: 'up' | 'down' | 'answers lost' };
  readonly epochs: number[];
  readonly ended: () => Ended | undefined;
  readonly stop: () => void;
}

function aCandidate(
  server: LeaseServer,
  clock: FakeClock,
  identity: string,
  onAcquire?: () => Promise<void>,
): Candidate {
  const network: Candidate['network'] = { mode: 'up' };
  const epochs: number[] = [];
  let ended: Ended | undefined;
  const stop = new AbortController();
  const made = elector({
    transport: server.transport(network),
    namespace: 'sky',
    leaseName: 'sky-operator-test',
    identity,
    address: `${identity}:8082`,
    onAcquire: onAcquire ?? (async () => void epochs.push(clock.monotonic())),
    clock,
    random: seededRandom(),
    log: silentLogger,
    metrics: kubeMetrics(),
  });
  void made.run(stop.signal).then((how) => (ended = how));
  return { elector: made, network, epochs, ended: () => ended, stop: () => stop.abort() };
}

describe('an elector', () => {
  let clock: FakeClock;
  let server: LeaseServer;

  beforeEach(() => {
    clock = fakeClock();
    server = new LeaseServer();
  });

  it('leads at once where there is no Lease, after the epoch was raised', async () => {
    const raised = Promise.withResolvers<void>();
    const { elector: one, stop } = aCandidate(server, clock, 'a', () => raised.promise);
    await clock.advance(5_000);
    assert.equal(server.lease?.spec?.holderIdentity, 'a');
    assert.equal(one.remainingMs(), 0);
    raised.resolve();
    await clock.advance(0);
    await one.whenLeading();
    assert.ok(one.remainingMs() > 10_000);
    stop();
  });

  it('never leads when it was stopped before the epoch was raised', async () => {
    const raised = Promise.withResolvers<void>();
    const one = aCandidate(server, clock, 'a', () => raised.promise);
    await clock.advance(1_000);
    one.stop();
    await clock.advance(0);
    raised.resolve();
    await clock.advance(0);
    assert.equal(one.ended(), 'stopped');
    assert.equal(one.elector.remainingMs(), 0);
    assert.equal(server.lease?.spec?.holderIdentity, '');
  });

  it('writes times in microseconds and the address on the Lease', async () => {
    const { stop } = aCandidate(server, clock, 'a');
    await clock.advance(0);
    assert.equal(server.lease?.spec?.renewTime, '2026-01-01T00:00:00.000000Z');
    assert.deepEqual(server.lease?.metadata.annotations, { 'sky-operator.dev/leader-address': 'a:8082' });
    stop();
  });

  it('gives the epoch problem back to others: a failed onAcquire releases the Lease', async () => {
    let tries = 0;
    const { elector: one, stop } = aCandidate(server, clock, 'a', async () => {
      if (++tries === 1) throw new Error('no Secret');
    });
    await clock.advance(0);
    assert.equal(server.lease?.spec?.holderIdentity, '');
    await clock.advance(3_000);
    assert.equal(tries, 2);
    assert.ok(one.remainingMs() > 0);
    stop();
  });

  it('waits out a dead leader by its own clock, whatever the times on the Lease say', async () => {
    const dead = aCandidate(server, clock, 'a');
    await clock.advance(10_000);
    dead.network.mode = 'down';
    if (server.lease?.spec) server.lease.spec.renewTime = '1999-01-01T00:00:00.000000Z';
    const heir = aCandidate(server, clock, 'b');
    await clock.advance(14_000);
    assert.deepEqual(heir.epochs, []);
    assert.deepEqual(heir.elector.leader(), { identity: 'a', address: 'a:8082' });
    await clock.advance(6_000);
    assert.equal(heir.epochs.length, 1);
    assert.equal(dead.elector.remainingMs(), 0);
    assert.equal(server.lease?.spec?.leaseTransitions, 1);
    dead.network.mode = 'up';
    await clock.advance(3_000);
    assert.equal(dead.ended(), 'lost');
    heir.stop();
  });

  it('lets the heir lead within 3 s of a clean stop', async () => {
    const first = aCandidate(server, clock, 'a');
    await clock.advance(5_000);
    const heir = aCandidate(server, clock, 'b');
    await clock.advance(5_000);
    first.stop();
    await clock.advance(0);
    assert.equal(first.ended(), 'stopped');
    await clock.advance(3_000);
    assert.equal(heir.epochs.length, 1);
    heir.stop();
  });

  it('neither leads nor ends while the API server is away, and goes on when it finds its own record', async () => {
    const one = aCandidate(server, clock, 'a');
    await clock.advance(10_000);
    one.network.mode = 'down';
    await clock.advance(600_000);
    assert.equal(one.elector.remainingMs(), 0);
    assert.equal(one.ended(), undefined);
    one.network.mode = 'up';
    await clock.advance(3_000);
    assert.ok(one.elector.remainingMs() > 10_000);
    assert.equal(one.epochs.length, 1);
    one.stop();
  });

  it('does not take its own renewal, whose answer was lost, for a successor', async () => {
    const one = aCandidate(server, clock, 'a');
    await clock.advance(10_000);
    one.network.mode = 'answers lost';
    await clock.advance(5_000);
    one.network.mode = 'up';
    await clock.advance(3_000);
    assert.equal(one.ended(), undefined);
    assert.ok(one.elector.remainingMs() > 10_000);
    one.stop();
  });

  it('takes a claim whose answer was lost for its own when it campaigns again', async () => {
    const one = aCandidate(server, clock, 'a');
    one.network.mode = 'answers lost';
    await clock.advance(1_000);
    assert.equal(server.lease?.spec?.holderIdentity, 'a');
    one.network.mode = 'up';
    await clock.advance(20_000);
    assert.equal(one.epochs.length, 1);
    one.stop();
  });

  for (const jumpMs of [6_000, -6_000]) {
    it(`stops leading at once when the wall clock jumps by ${jumpMs} ms`, async () => {
      const one = aCandidate(server, clock, 'a');
      await clock.advance(10_000);
      assert.ok(one.elector.remainingMs() > 5_000);
      clock.jumpWall(jumpMs);
      assert.equal(one.elector.remainingMs(), 0);
      await clock.advance(3_000);
      assert.equal(one.ended(), 'lost');
    });
  }

  it('makes the Lease again when somebody deleted it', async () => {
    const one = aCandidate(server, clock, 'a');
    await clock.advance(5_000);
    server.lease = undefined;
    await clock.advance(6_000);
    assert.equal((server.lease as Lease | undefined)?.spec?.holderIdentity, 'a');
    assert.ok(one.elector.remainingMs() > 5_000);
    one.stop();
  });

  it('never lets two lead, however the network treats three candidates', async () => {
    const random = seededRandom(7);
    const all = ['a', 'b', 'c'].map((identity) => aCandidate(server, clock, identity));
    for (let second = 0; second < 3_000; second++) {
      if (random.next() < 0.1) {
        const one = all[Math.floor(random.next() * all.length)];
        if (one)
          one.network.mode = (['up', 'down', 'answers lost', 'up'] as const)[Math.floor(random.next() * 4)] ?? 'up';
      }
      await clock.advance(1_000);
      const leading = all.filter((one) => one.elector.remainingMs() > 0 && one.ended() === undefined);
      assert.ok(leading.length <= 1, `${leading.length} lead after ${second} s`);
    }
    for (const one of all) one.stop();
  });
});
