import assert from 'node:assert/strict';
import { elector } from '../../../src/kube/elector.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { freshNamespace } from '../../support/controlplane.ts';
import { connected, eventually, real } from './support.ts';

describe('leader election over the API server', function () {
  this.timeout(30_000);
  let transport: Transport;

  before(async () => {
    ({ transport } = await connected());
  });

  after(() => transport.close());

  it('has one leader, and the next one after a clean stop', async () => {
    const namespace = await freshNamespace();
    const candidate = (identity: string) => {
      const stop = new AbortController();
      const made = elector({
        ...real,
        transport,
        namespace,
        leaseName: 'sky-operator-test',
        identity,
        onAcquire: async () => {},
        metrics: kubeMetrics(),
        retryMs: 200,
      });
      return { made, stop: () => stop.abort(), ended: made.run(stop.signal) };
    };
    const first = candidate('a');
    await first.made.whenLeading();
    const second = candidate('b');
    await eventually('the follower knows the leader', () => second.made.leader()?.identity === 'a');
    assert.equal(second.made.remainingMs(), 0);
    first.stop();
    assert.equal(await first.ended, 'stopped');
    await second.made.whenLeading();
    assert.ok(second.made.remainingMs() > 5_000);
    second.stop();
    assert.equal(await second.ended, 'stopped');
  });
});
