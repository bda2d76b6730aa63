import assert from 'node:assert/strict';
import { api } from '../../../src/kube/api.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { recorder, type EventDetails } from '../../../src/kube/recorder.ts';
import type { ResourceType } from '../../../src/kube/resources.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { fakeClock } from '../../support/clock.ts';
import { freshNamespace } from '../../support/controlplane.ts';
import { connected, eventually, installWidgets, real, WIDGETS, type Widget } from './support.ts';

interface Event extends KubeObject {
  note?: string;
  reason?: string;
  regarding?: { name: string; uid: string };
  related?: { name: string };
  series?: { count: number; lastObservedTime: string };
}

const EVENTS: ResourceType<Event> = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

const launched: EventDetails = { type: 'Normal', reason: 'Launched', action: 'Launch', note: 'Two machines at $3/h' };

describe('the event recorder', function () {
  this.timeout(30_000);
  let transport: Transport;
  let namespace: string;
  let widget: Widget;

  before(async () => {
    await installWidgets();
    ({ transport } = await connected());
  });

  beforeEach(async () => {
    namespace = await freshNamespace();
    widget = await api(transport, WIDGETS).create({ metadata: { namespace, name: 'w' } });
  });

  after(() => transport.close());

  function aRecorder() {
    const clock = fakeClock();
    const metrics = kubeMetrics();
    const made = recorder({ ...real, transport, instance: 'pod-1', clock, metrics });
    const stop = new AbortController();
    const running = made.run(stop.signal);
    const outcomes = async () => {
      const sums: Record<string, number> = {};
      for (const { labels, value } of (await metrics.events.get()).values)
        sums[String(labels['outcome'])] = (sums[String(labels['outcome'])] ?? 0) + value;
      return sums;
    };
    const stored = async () => (await api(transport, EVENTS).list({ namespace })).items;
    const end = async () => {
      stop.abort();
      await running;
    };
    return { clock, made, outcomes, stored, end };
  }

  it('tells once what happens again and again, and then how often', async () => {
    const { clock, made, outcomes, stored, end } = aRecorder();
    made.event(widget, launched);
    await eventually('the event is sent', async () => (await outcomes())['sent'] === 1);
    for (let i = 0; i < 4; i++) made.event(widget, launched);
    await clock.advance(60_000);
    await eventually('the series is told', async () => (await stored())[0]?.series?.count === 5);
    const events = await stored();
    assert.equal(events.length, 1);
    assert.equal(events[0]?.regarding?.uid, widget.metadata.uid);
    assert.deepEqual(await outcomes(), { sent: 1, joined: 4 });

    await clock.advance(600_000);
    made.event(widget, launched);
    await eventually('ten minutes later it is news', async () => (await stored()).length === 2);
    await end();
  });

  it('cuts a note to 1,024 bytes on a character boundary', async () => {
    const { made, stored, end } = aRecorder();
    made.event(widget, { ...launched, note: '€'.repeat(1_000), related: widget });
    await eventually('the event is sent', async () => (await stored()).length === 1);
    const [event] = await stored();
    assert.equal(event?.note, '€'.repeat(341));
    assert.equal(event?.related?.name, 'w');
    await end();
  });

  it('drops what one object tells beyond 25 at once', async () => {
    const { clock, made, outcomes, end } = aRecorder();
    for (let i = 0; i < 30; i++) made.event(widget, { ...launched, reason: `Launched${i}` });
    assert.equal((await outcomes())['dropped'], 5);
    await clock.advance(300_000);
    made.event(widget, { ...launched, reason: 'Later' });
    await eventually('the rest is sent, as fast as one process may', async () => {
      await clock.advance(50);
      return (await outcomes())['sent'] === 26;
    });
    assert.equal((await outcomes())['dropped'], 5);
    await end();
  });

  it('sends what is left when it is stopped', async () => {
    const { made, stored, end } = aRecorder();
    for (let i = 0; i < 5; i++) made.event(widget, { ...launched, reason: `Launched${i}` });
    await end();
    assert.equal((await stored()).length, 5);
  });

  it('neither throws nor stops when the server refuses an event', async () => {
    const { made, outcomes, stored, end } = aRecorder();
    made.event({ ...widget, metadata: { ...widget.metadata, namespace: 'nowhere' } }, { ...launched, reason: 'Lost' });
    made.event(widget, launched);
    await eventually('the other one is stored', async () => (await stored()).length === 1);
    assert.deepEqual(await outcomes(), { dropped: 1, sent: 1 });
    await end();
  });
});
