import assert from 'node:assert/strict';
import type { SkyCloud, SkyCluster, SkyJob } from '../../src/api/types.gen.ts';
import { aWorld, cloudSpec, conditionOf, type World } from '../support/world.ts';

type Kind = 'skycloud' | 'skycluster' | 'skyjob';
type Object_ = SkyCloud | SkyCluster | SkyJob;

const readyReason = (object: Object_) => conditionOf(object, 'Ready')?.reason;

/** An object that is not Ready says what is so, and what happens next: work, a time, or nothing until somebody acts. */
function explains(object: Object_): void {
  const name = `${object.kind} ${object.metadata.name}`;
  const ready = conditionOf(object, 'Ready');
  assert.equal(ready?.status === 'True', false, `${name} is Ready`);
  assert.ok((ready?.message.length ?? 0) > 20, `${name}: "${ready?.message}"`);
  const [reconciling, stalled] = [conditionOf(object, 'Reconciling'), conditionOf(object, 'Stalled')];
  assert.ok(!(reconciling && stalled), `${name} is Reconciling and Stalled`);
  const nextAttempt = object.kind === 'SkyCloud' ? undefined : (object as SkyCluster).status?.nextAttemptTime;
  assert.ok(reconciling ?? stalled ?? nextAttempt, `${name}: nothing says what happens next`);
  assert.equal(object.status?.observedGeneration, object.metadata.generation, `${name} was not looked at`);
}

describe('input that is wrong', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    // Machine ids of its own: another simulator on this host may run meanwhile.
    world = await aWorld({ sim: { seed: process.pid } });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const launches = async () => (await world.sim.ledger()).filter(({ op }) => op === 'launch').length;

  /** Waits for the reason, checks the words, and takes the object away again. */
  const isTold = async (kind: Kind, name: string, told: { readonly reason: string; readonly message: RegExp }) => {
    const object: Object_ = await world.until(kind, name, (one) => readyReason(one) === told.reason);
    explains(object);
    assert.match(conditionOf(object, 'Ready')?.message ?? '', told.message);
    await world.kubectl('delete', kind, name, '--timeout=60s');
  };

  const machine = { cpus: '2+' };
  const clusters: [name: string, spec: object, reason: string, message: RegExp][] = [
    [
      'a cloud that does not exist',
      { resources: { infra: 'nosuch/here' } },
      'NoCloudReady',
      /in nosuch\/here \(UnknownCloud\); nearest: with cloud open/,
    ],
    [
      'a region that does not exist',
      { resources: { infra: 'fluffycloud/us-eats' } },
      'Infeasible',
      /us-eats.*did you mean.*us-east/,
    ],
    [
      'more than any machine has',
      { resources: { cpus: '100000+' } },
      'Infeasible',
      /no offering for 1x 100000\+ vCPUs \(NoCpuMemory\); nearest: with cpus 16\+/,
    ],
    ['an accelerator that nobody has', { resources: { accelerators: 'Z999:8' } }, 'Infeasible', /Z999:8/],
    [
      'a price below every offering',
      { resources: machine, maxHourlyPrice: '0.000001' },
      'Infeasible',
      /OverMaxHourlyPrice|Price/i,
    ],
    ['a type against its own size', { resources: { instanceType: 'cpu-2', cpus: '64+' } }, 'InvalidInput', /cpu-2/],
    ['autostop', { resources: machine, autostop: { idleMinutes: 5 } }, 'InvalidInput', /^spec\.autostop: .*remove it/],
    ['budget', { resources: machine, budget: { maxTotal: '5.00' } }, 'InvalidInput', /^spec\.budget: .*remove it/],
    ['image', { resources: machine, image: 'docker:ubuntu' }, 'InvalidInput', /^spec\.image: .*remove it/],
    ['suspend', { resources: machine, suspend: true }, 'InvalidInput', /^spec\.suspend: .*delete the object/],
    [
      'a label that is ours',
      { resources: machine, cloudLabels: { 'sky-uid': 'x' } },
      'InvalidInput',
      /^spec\.cloudLabels: "sky-uid" is reserved/,
    ],
    [
      'a ConfigMap that is missing',
      { resources: machine, files: [{ path: '~/data', configMapRef: { name: 'absent' } }] },
      'InvalidInput',
      /^spec\.files\[0\]\.configMapRef: ConfigMap .*\/absent does not exist; create it/,
    ],
  ];
  for (const [index, [name, spec, reason, message]] of clusters.entries()) {
    it(`${name}: a SkyCluster says so and nothing is rented`, async () => {
      const before = await launches();
      await world.apply('SkyCluster', `bad-${index}`, spec);
      await isTold('skycluster', `bad-${index}`, { reason, message });
      assert.equal(await launches(), before);
    });
  }

  const jobs: [name: string, spec: object, reason: string, message: RegExp][] = [
    ['tasks', { tasks: [{ name: 'one', run: 'true', cluster: {} }] }, 'InvalidInput', /^spec\.tasks: .*remove it/],
    [
      'checkpoint',
      { cluster: {}, run: 'true', checkpoint: { path: '/ckpt' } },
      'InvalidInput',
      /^spec\.checkpoint: .*remove it/,
    ],
    [
      'a field of its cluster',
      { cluster: { autostop: { idleMinutes: 5 } }, run: 'true' },
      'InvalidInput',
      /^spec\.cluster\.autostop: .*remove it/,
    ],
    ['no script', { cluster: {} }, 'InvalidInput', /^spec\.run: is missing/],
    [
      'a cluster that does not exist',
      { clusterRef: { name: 'absent' }, run: 'true' },
      'ClusterNotFound',
      /absent does not exist in this namespace; create it/,
    ],
    [
      'a request that nothing fits',
      { cluster: { resources: { cpus: '100000+' } }, run: 'true' },
      'Infeasible',
      /no offering for/,
    ],
  ];
  for (const [index, [name, spec, reason, message]] of jobs.entries()) {
    it(`${name}: a SkyJob says so and nothing is rented`, async () => {
      const before = await launches();
      await world.apply('SkyJob', `bad-${index}`, spec);
      await isTold('skyjob', `bad-${index}`, { reason, message });
      assert.equal(await launches(), before);
    });
  }

  it('more nodes than the cluster has: the job names both numbers and waits', async () => {
    await world.apply('SkyCluster', 'single', { resources: machine });
    await world.kubectl('wait', '--for=condition=Ready', 'skycluster/single', '--timeout=90s');
    await world.apply('SkyJob', 'wide', { clusterRef: { name: 'single' }, numNodes: 2, run: 'true' });
    await isTold('skyjob', 'wide', {
      reason: 'InvalidInput',
      message: /^spec\.numNodes: 2 nodes are asked for and SkyCluster single has 1; lower one or raise the other/,
    });
    await world.kubectl('delete', 'skycluster/single', '--timeout=60s');
  });

  it('a Secret that is missing: nothing is rented before it appears, and then all goes on by itself', async () => {
    const before = await launches();
    await world.apply('SkyCluster', 'waiting', {
      resources: machine,
      env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'later', key: 'token' } } }],
    });
    const object = await world.until('skycluster', 'waiting', (one) => readyReason(one) === 'InvalidInput');
    explains(object);
    const { message } = conditionOf(object, 'Ready') ?? {};
    assert.match(message ?? '', /^spec\.env\[0\]\.valueFrom\.secretKeyRef: Secret .*\/later does not exist; create it/);
    assert.equal(await launches(), before);

    await world.kubectl('create', 'secret', 'generic', 'later', '--from-literal=token=v');
    await world.kubectl('wait', '--for=condition=Ready', 'skycluster/waiting', '--timeout=90s');
    await world.kubectl('delete', 'skycluster/waiting', '--timeout=60s');
  });

  it('a spec that is mended goes on from the mended one', async () => {
    await world.apply('SkyCluster', 'mended', { resources: machine, image: 'docker:ubuntu' });
    await world.until('skycluster', 'mended', (one) => readyReason(one) === 'InvalidInput');
    await world.kubectl('patch', 'skycluster', 'mended', '--type=json', '-p', '[{"op":"remove","path":"/spec/image"}]');
    await world.kubectl('wait', '--for=condition=Ready', 'skycluster/mended', '--timeout=90s');
    const mended = await world.get('skycluster', 'mended');
    assert.equal(conditionOf(mended ?? {}, 'Stalled'), undefined);
    await world.kubectl('delete', 'skycluster/mended', '--timeout=60s');
  });

  const inSecret = async (name: string, data: Record<string, string>) => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: world.operatorNamespace },
      stringData: data,
    };
    await world.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(secret) });
  };
  const clouds: [name: string, change: object, reason: string, message: RegExp][] = [
    [
      'a provider that does not exist',
      { provider: 'nowhere' },
      'InvalidInput',
      /^spec\.provider: nowhere is not a provider .*use one of .*fluffycloud/,
    ],
    [
      'no credential',
      { credentialsSecretRef: undefined },
      'SecretMissing',
      /^spec\.credentialsSecretRef is not set; name a Secret with .*api_key/,
    ],
    [
      'a Secret that does not exist',
      { credentialsSecretRef: { name: 'absent' } },
      'SecretMissing',
      /absent does not exist; create it with .*api_key/,
    ],
    [
      'a Secret without the key',
      { credentialsSecretRef: { name: 'empty' } },
      'SecretIncomplete',
      /empty lacks the key\(s\) api_key/,
    ],
    [
      'a setting that the cloud does not have',
      { config: { profil: 'full' } },
      'InvalidInput',
      /^spec\.config\.profil: unknown field, did you mean profile\?/,
    ],
    [
      'a setting with a value of another kind',
      { config: { profile: 7 } },
      'InvalidInput',
      /^spec\.config\.profile: 7 is not one of full/,
    ],
    ['a key that is wrong', { credentialsSecretRef: { name: 'wrong' } }, 'CredentialsInvalid', /api_key/],
    [
      'a profile of another simulator',
      { config: { profile: 'fluffy' } },
      'ConfigInvalid',
      /Set spec\.config\.profile to full/,
    ],
    ['an endpoint that nobody serves', { endpoint: 'http://127.0.0.1:9' }, 'CloudUnreachable', /Check spec\.endpoint/],
  ];
  for (const [index, [name, change, reason, message]] of clouds.entries()) {
    it(`${name}: a SkyCloud says so`, async () => {
      await inSecret('empty', { other: 'x' });
      await inSecret('wrong', { api_key: 'not-the-key' });
      await world.apply('SkyCloud', `bad-${index}`, { ...(await cloudSpec(world.cloud, world.sim)), ...change });
      await isTold('skycloud', `bad-${index}`, { reason, message });
    });
  }
});
