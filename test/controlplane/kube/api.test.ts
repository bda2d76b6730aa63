import assert from 'node:assert/strict';
import { api } from '../../../src/kube/api.ts';
import { isAlreadyExists, isConflict, isKubeError, KubeError } from '../../../src/kube/errors.ts';
import { CONFIG_MAPS } from '../../../src/kube/resources.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { connected, eventually, installWidgets, relay, WIDGETS } from './support.ts';

describe('the API client', function () {
  this.timeout(60_000);
  let transport: Transport;
  let namespace: string;

  before(async () => {
    await installWidgets();
    ({ transport } = await connected());
    namespace = await freshNamespace();
  });

  after(() => transport.close());

  it('creates, reads, patches and deletes, and finds nothing where nothing is', async () => {
    const widgets = api(transport, WIDGETS);
    const ref = { namespace, name: 'a' };
    assert.equal(await widgets.get(ref), undefined);
    const created = await widgets.create({ metadata: ref, spec: { size: 1 } });
    assert.equal(created.kind, 'Widget');

    const patched = await widgets.patch(ref, 'merge', { spec: { size: 2 } });
    assert.equal(patched.spec?.size, 2);
    assert.equal((await widgets.get(ref))?.metadata.resourceVersion, patched.metadata.resourceVersion);

    assert.equal(await widgets.delete(ref), undefined);
    assert.equal(await widgets.delete(ref), undefined);
    assert.equal(await widgets.get(ref), undefined);
  });

  it('answers with the object while a finalizer keeps it', async () => {
    const widgets = api(transport, WIDGETS);
    const ref = { namespace, name: 'kept' };
    await widgets.create({ metadata: { ...ref, finalizers: ['test.sky-operator.dev/kept'] } });
    const deleted = await widgets.delete(ref);
    assert.ok(deleted?.metadata.deletionTimestamp);
    const { resourceVersion } = deleted.metadata;
    await widgets.patch(ref, 'merge', { metadata: { finalizers: null, resourceVersion } });
    assert.equal(await widgets.get(ref), undefined);
  });

  it('refuses a write over a version that is gone, and a delete of another UID', async () => {
    const widgets = api(transport, WIDGETS);
    const ref = { namespace, name: 'raced' };
    const old = await widgets.create({ metadata: ref });
    await widgets.patch(ref, 'merge', { spec: { size: 3 } });
    const late = { metadata: { resourceVersion: old.metadata.resourceVersion, finalizers: ['x.dev/y'] } };
    await assert.rejects(widgets.patch(ref, 'merge', late), isConflict);
    await assert.rejects(widgets.delete(ref, { uid: 'another' }), isConflict);
    await assert.rejects(widgets.create({ metadata: ref }), isAlreadyExists);
  });

  it('tells the field of an invalid write', async () => {
    const bad = { metadata: { namespace, name: 'bad' }, spec: { size: 10 } };
    await assert.rejects(api(transport, WIDGETS).create(bad), (error) => {
      assert.ok(isKubeError(error, 422));
      assert.equal(error.reason, 'Invalid');
      assert.equal(error.causes[0]?.field, 'spec.size');
      return true;
    });
  });

  it('reads lists of more than one page whole', async () => {
    const maps = api(transport, CONFIG_MAPS);
    const many = await freshNamespace();
    await Promise.all(
      Array.from({ length: 501 }, (_, i) => maps.create({ metadata: { namespace: many, name: `m${i}` } })),
    );
    const pages: number[] = [];
    for await (const page of maps.pages({ namespace: many, labelSelector: '!x' })) pages.push(page.items.length);
    assert.deepEqual(pages[0], 500);
    const { items } = await maps.list({ namespace: many });
    // One more is the authority that every namespace gets.
    assert.ok(items.filter(({ metadata }) => metadata.name.startsWith('m')).length === 501);
    assert.equal(items[0]?.kind, 'ConfigMap');
    const [bare] = (await maps.list({ namespace: many, metadataOnly: true })).items;
    assert.deepEqual(Object.keys(bare ?? {}).sort(), ['apiVersion', 'kind', 'metadata']);
  });

  it('opens at most 16 connections for any number of calls, and uses them again', async () => {
    const plane = await controlPlane();
    const between = await relay(plane.port);
    const through = await connected(between.url);
    const maps = api(through.transport, CONFIG_MAPS);
    for (let round = 0; round < 4; round++)
      await Promise.all(Array.from({ length: 50 }, () => maps.get({ namespace, name: 'none' })));
    assert.ok(between.dialled() <= 16, `${between.dialled()} connections`);
    await through.transport.close();
    await between.end();
  });

  it('says that no answer came when the connection breaks', async () => {
    const plane = await controlPlane();
    const between = await relay(plane.port);
    const through = await connected(between.url);
    between.close();
    await assert.rejects(api(through.transport, CONFIG_MAPS).get({ namespace, name: 'x' }), (error) => {
      assert.ok(error instanceof KubeError);
      assert.deepEqual([error.code, error.reason], [0, 'NoAnswer']);
      return true;
    });
    await through.transport.close();
    await between.end();
  });

  it('leaves the abort of the caller as it is', async () => {
    const reason = new Error('enough');
    await assert.rejects(
      api(transport, CONFIG_MAPS).get({ namespace, name: 'x' }, AbortSignal.abort(reason)),
      (error) => error === reason,
    );
  });

  it('names itself in every call and is counted', async () => {
    await eventually('the audit log shows the calls', async () => {
      const entries = await (await controlPlane()).audit();
      return entries.some(
        ({ user, userAgent, verb }) => user === 'kube-tests' && userAgent === 'kube-tests/1' && verb === 'patch',
      );
    });
  });
});
