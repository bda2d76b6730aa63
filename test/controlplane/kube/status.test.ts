import assert from 'node:assert/strict';
import { api, type Api } from '../../../src/kube/api.ts';
import { conditionsOf } from '../../../src/kube/conditions.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import { statusWriter } from '../../../src/kube/status.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { freshNamespace } from '../../support/controlplane.ts';
import { connected, installWidgets, WIDGETS, type Widget } from './support.ts';

describe('the status writer', function () {
  this.timeout(30_000);
  const metrics = kubeMetrics();
  let transport: Transport;
  let widgets: Api<Widget>;
  let namespace: string;

  before(async () => {
    await installWidgets();
    ({ transport } = await connected());
    widgets = api(transport, WIDGETS);
    namespace = await freshNamespace();
  });

  after(() => transport.close());

  const statusOf = (phase: string, previous?: Widget) => ({
    phase,
    conditions: conditionsOf(
      previous?.status?.conditions,
      [{ type: 'Ready', status: 'False', reason: 'Waiting', message: phase }],
      Date.UTC(2026, 0, 1),
    ),
  });

  it('writes once, then nothing while the status says the same', async () => {
    const object = await widgets.create({ metadata: { namespace, name: 'once' } });
    const writer = statusWriter(widgets, metrics);
    const first = await writer.write(object, statusOf('Pending'));
    assert.equal(first.outcome, 'written');
    const stored = first.outcome === 'written' ? first.object : object;
    assert.equal(stored.status?.phase, 'Pending');
    for (let i = 0; i < 100; i++)
      assert.equal((await writer.write(stored, statusOf('Pending', stored))).outcome, 'unchanged');
    const { metadata } = (await widgets.get({ namespace, name: 'once' })) ?? stored;
    assert.equal(metadata.resourceVersion, stored.metadata.resourceVersion);
  });

  it('removes what it leaves out', async () => {
    const object = await widgets.create({ metadata: { namespace, name: 'less' } });
    const writer = statusWriter(widgets, metrics);
    const full = await writer.write(object, statusOf('Pending'));
    assert.ok(full.outcome === 'written');
    const less = await writer.write(full.object, { phase: 'Gone' });
    assert.ok(less.outcome === 'written');
    assert.deepEqual(less.object.status, { phase: 'Gone' });
  });

  it('refuses to write over what was decided meanwhile', async () => {
    const object = await widgets.create({ metadata: { namespace, name: 'late' } });
    await widgets.patch({ namespace, name: 'late' }, 'merge', { spec: { size: 1 } });
    assert.deepEqual(await statusWriter(widgets, metrics).write(object, statusOf('Late')), { outcome: 'conflict' });
  });

  it('does not bring a deleted object back', async () => {
    const object = await widgets.create({ metadata: { namespace, name: 'gone' } });
    await widgets.delete({ namespace, name: 'gone' });
    assert.deepEqual(await statusWriter(widgets, metrics).write(object, statusOf('Late')), { outcome: 'gone' });
    assert.equal(await widgets.get({ namespace, name: 'gone' }), undefined);
  });

  it('does not write to another object of the same name', async () => {
    const object = await widgets.create({ metadata: { namespace, name: 'reborn' } });
    await widgets.delete({ namespace, name: 'reborn' });
    await widgets.create({ metadata: { namespace, name: 'reborn' } });
    assert.deepEqual(await statusWriter(widgets, metrics).write(object, statusOf('Late')), { outcome: 'conflict' });
  });
});
