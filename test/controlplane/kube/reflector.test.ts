import assert from 'node:assert/strict';
import { api, type Api } from '../../../src/kube/api.ts';
import { checkConsistency } from '../../../src/kube/consistency.ts';
import type { KubeMetrics } from '../../../src/kube/metrics.ts';
import { reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import { cache, type Change } from '../../../src/kube/store.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { watermark } from '../../../src/kube/watermark.ts';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { connected, eventually, installWidgets, real, relay, WIDGETS, type Widget } from './support.ts';

type Relay = Awaited<ReturnType<typeof relay>>;

describe('a reflector', function () {
  this.timeout(90_000);
  let direct: Api<Widget>;
  let transport: Transport;
  let metrics: KubeMetrics;
  let between: Relay;
  let through: Transport;
  let namespace: string;
  let stop: AbortController;
  let running: Promise<void> | undefined;

  before(async () => {
    await installWidgets();
    ({ transport } = await connected());
    direct = api(transport, WIDGETS);
  });

  beforeEach(async () => {
    namespace = await freshNamespace();
    between = await relay((await controlPlane()).port);
    ({ transport: through, metrics } = await connected(between.url));
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await through.close();
    await between.end();
  });

  after(() => transport.close());

  const create = (name: string, size = 1) => direct.create({ metadata: { namespace, name }, spec: { size } });

  async function aReflector(options: Partial<ReflectorOptions<Widget>> = {}) {
    const made = reflector(api(through, WIDGETS), { ...real, metrics, namespaces: [namespace], ...options });
    const changes: Change<Widget>[] = [];
    made.store.onChange((change) => void changes.push(change));
    running = made.run(stop.signal);
    await made.whenSynced();
    await eventually('the watch is open', () => made.trouble() === undefined);
    const names = () => made.store.list().map(({ metadata }) => metadata.name);
    return { ...made, changes, names };
  }

  async function relistsBy(cause: string) {
    return (await metrics.relists.get()).values.find(({ labels }) => labels['cause'] === cause)?.value ?? 0;
  }

  it('lists, then follows every change', async () => {
    await create('a');
    const { store, changes } = await aReflector();
    assert.equal(store.get(`${namespace}/a`)?.spec?.size, 1);
    await direct.patch({ namespace, name: 'a' }, 'merge', { spec: { size: 2 } });
    await direct.delete({ namespace, name: 'a' });
    await eventually('three changes', () => changes.length === 3);
    assert.deepEqual(
      changes.map(({ type, old, object, isListed }) => [type, old?.spec?.size, object.spec?.size, isListed]),
      [
        ['add', undefined, 1, true],
        ['update', 1, 2, false],
        ['delete', 2, 2, false],
      ],
    );
  });

  it('trims and freezes what it keeps, and finds it by index', async () => {
    await create('small', 1);
    await create('big', 9);
    const { store } = await aReflector({
      indexes: { size: ({ spec }) => [String(spec?.size)] },
      project: ({ status: _unused, ...object }) => object,
    });
    const [big] = store.by('size', '9');
    assert.equal(big?.metadata.name, 'big');
    assert.ok(!('managedFields' in big.metadata));
    assert.throws(() => Object.assign(big.spec ?? {}, { size: 0 }), TypeError);
    assert.throws(() => store.by('colour', 'red'), /No index/);
    await direct.patch({ namespace, name: 'big' }, 'merge', { spec: { size: 1 } });
    await eventually('the index moves', () => store.by('size', '1').length === 2 && store.by('size', '9').length === 0);
  });

  it('survives a handler that throws', async () => {
    const { store, names } = await aReflector();
    store.onChange(() => {
      throw new Error('boom');
    });
    await create('a');
    await create('b');
    await eventually('both arrive', () => names().length === 2);
  });

  it('goes on from where it was when the connection is cut, without a list', async () => {
    const { names } = await aReflector();
    await create('before');
    await eventually('the event arrives', () => names().length === 1);
    between.close();
    await create('meanwhile');
    await direct.delete({ namespace, name: 'before' });
    between.open();
    await eventually('both events arrive', () => names().join() === 'meanwhile');
    assert.deepEqual([await relistsBy('start'), await relistsBy('expired')], [1, 0]);
  });

  it('lists again when the server forgot its version, and misses no delete and no second birth', async () => {
    await create('deleted');
    const before = await create('reborn');
    const { store, changes, names } = await aReflector();
    changes.length = 0;
    between.close();
    await direct.delete({ namespace, name: 'deleted' });
    await direct.delete({ namespace, name: 'reborn' });
    await create('reborn');
    await (await controlPlane()).compactEtcd();
    between.open();
    await eventually('the list replaces the store', () => names().join() === 'reborn', 60_000);
    assert.notEqual(store.get(`${namespace}/reborn`)?.metadata.uid, before.metadata.uid);
    assert.equal(await relistsBy('expired'), 1);
    assert.deepEqual(
      changes.map(({ type, object }) => `${type} ${object.metadata.name}`),
      ['delete deleted', 'delete reborn', 'add reborn'],
    );
  });

  it('heals after the API server was killed', async () => {
    const plane = await controlPlane();
    const made = await aReflector();
    await plane.killApiServer();
    await eventually('it knows', () => made.trouble() !== undefined);
    await plane.restartApiServer();
    await create('after');
    await eventually('it watches again', () => made.names().join() === 'after', 60_000);
    await eventually('no trouble is left', () => made.trouble() === undefined);
  });

  it('is in trouble while its kind is not served', async () => {
    const unknown = { ...WIDGETS, plural: 'gadgets' };
    const made = reflector(api(through, unknown), { ...real, metrics });
    running = made.run(stop.signal);
    await eventually('the refusal is told', () => made.trouble()?.includes('404') ?? false);
    assert.equal(made.store.synced, false);
  });

  it('tells when our own write has arrived', async () => {
    const { store, names } = await aReflector();
    const marks = watermark();
    between.close();
    const written = await create('child');
    marks.wrote('parent', store, written);
    assert.equal(marks.isReached('parent'), false);
    assert.equal(marks.isReached('another'), true);
    between.open();
    await eventually('the write arrives', () => marks.isReached('parent'));
    assert.deepEqual(names(), ['child']);
  });

  it('repairs what a lost event left behind', async () => {
    const lost = cache<Widget>({ scopes: [namespace], indexes: {}, log: real.log });
    const gone = await create('gone');
    const stale = await create('stale');
    lost.replace(namespace, [gone, stale], stale.metadata.resourceVersion);
    await direct.delete({ namespace, name: 'gone' });
    await direct.patch({ namespace, name: 'stale' }, 'merge', { spec: { size: 5 } });
    await create('unseen');
    await checkConsistency(direct, lost, { scope: namespace, trim: (object) => object }, stop.signal);
    assert.deepEqual(
      lost.list().map(({ metadata, spec }) => [metadata.name, spec?.size]),
      [
        ['stale', 5],
        ['unseen', 1],
      ],
    );
  });
});
