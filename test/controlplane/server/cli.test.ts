import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { findBinaries } from '../../../hack/controlplane/binaries.ts';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { eventually } from '../kube/support.ts';
import { aLogsApi } from './support.ts';

const ROOT = join(import.meta.dirname, '../../..');
const NOW = '2026-01-01T00:00:00Z';
const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: NOW,
});
const attempts = [{ ordinal: 1, nodeIds: ['i-0'] }];
const ended = [condition('CleanedUp', 'True', 'NothingLeft', 'nothing is rented')];

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('kubectl sky', function () {
  this.timeout(60_000);
  let namespace: string;
  let kubectl: string;
  before(async () => {
    namespace = await freshNamespace();
    ({ kubectl } = await findBinaries());
  });

  /** As a person runs it: kubectl finds the plugin on the path. */
  async function sky(args: string, kubeconfig?: string): Promise<Ran> {
    const plane = await controlPlane();
    const env = {
      PATH: [join(ROOT, 'hack'), dirname(process.execPath), process.env.PATH].join(':'),
      KUBECONFIG: kubeconfig ?? plane.kubeconfig,
    };
    return new Promise((resolve) => {
      execFile(kubectl, ['sky', ...args.split(' ')], { env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  }

  async function must(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await (await controlPlane()).kubectl(['-n', namespace, ...args], { input });
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function given(kind: 'SkyCluster' | 'SkyJob', name: string, status: object, metadata: object = {}) {
    const spec = kind === 'SkyJob' ? { cluster: {}, run: 'true' } : {};
    const object = { apiVersion: 'sky-operator.dev/v1alpha1', kind, metadata: { name, namespace, ...metadata }, spec };
    await must(['apply', '--server-side', '-f', '-'], stringify(object));
    await must(['patch', kind, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
  }

  it('shows the state of a namespace, and that of one cluster down to its jobs', async () => {
    assert.match((await sky(`status -n ${namespace}`)).stdout, /^No SkyClusters or SkyJobs in namespace test-/);
    const placement = { cloud: 'nowhere', infra: 'nowhere/north' };
    await given('SkyCluster', 'pair', { phase: 'SettingUp', placement, readyNodes: '1/2' });
    await given('SkyJob', 'hello', {
      phase: 'Pending',
      clusterName: 'pair',
      conditions: [condition('Reconciling', 'True', 'ClusterNotReady', 'the cluster is being set up')],
    });
    const { stdout } = await sky(`status -n ${namespace}`);
    assert.match(
      stdout,
      /^KIND +NAME +STATUS +INFRA +NODES +AGE +REASON\nSkyCluster +pair +SettingUp +nowhere\/north +1\/2 /,
    );
    assert.match(stdout, /\nSkyJob +hello +Pending .*ClusterNotReady\n$/);
    for (const name of ['pair', 'hello']) {
      const tree = await sky(`status ${name} -n ${namespace}`);
      assert.match(tree.stdout, /^SkyCloud nowhere\n└─ SkyCluster pair SettingUp, nowhere\/north, 1\/2 nodes ready\n/);
      assert.match(tree.stdout, /└─ SkyJob hello Pending\n +ClusterNotReady: the cluster is being set up\n$/);
    }
    const list = JSON.parse((await sky(`status -n ${namespace} -o json`)).stdout) as { items: { kind: string }[] };
    assert.deepEqual(
      list.items.map(({ kind }) => kind),
      ['SkyCluster', 'SkyJob'],
    );
    assert.equal((await sky(`status absent -n ${namespace}`)).code, 3);
  });

  it('shows what was spent', async () => {
    await given('SkyCluster', 'dear', { cost: { total: '3.00', ratePerHour: '0.00', since: NOW } });
    assert.match(
      (await sky(`cost -n ${namespace}`)).stdout,
      /\nSkyCluster +dear +\$3\.00 +\$0\.00\n +total +\$3\.00 +\$0\.00\n$/,
    );
    assert.match((await sky('cost -A')).stdout, new RegExp(`\n${namespace} +SkyCluster +dear `));
  });

  it('cancels a job by its spec', async () => {
    await given('SkyJob', 'long', { phase: 'Running' });
    assert.deepEqual(await sky(`cancel long -n ${namespace}`), {
      code: 0,
      stdout: 'skyjob/long: spec.cancel is true now\n',
      stderr: '',
    });
    assert.equal(await must(['get', 'skyjob', 'long', '-o', 'jsonpath={.spec.cancel}']), 'true');
    assert.equal((await sky(`cancel absent -n ${namespace}`)).code, 102);
  });

  it('waits for a deleted cluster as long as something holds it', async () => {
    await given('SkyCluster', 'held', {}, { finalizers: ['sky-operator.dev/test'] });
    let isBack = false;
    const waiting = sky(`down held --wait -n ${namespace}`).finally(() => {
      isBack = true;
    });
    await eventually('it is being deleted', async () =>
      /\d/.test(await must(['get', 'skycluster', 'held', '-o', 'jsonpath={.metadata.deletionTimestamp}'])),
    );
    assert.equal(isBack, false);
    await must(['patch', 'skycluster', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":[]}}']);
    const { code, stdout } = await waiting;
    assert.equal(code, 0);
    assert.equal(stdout, 'skycluster/held: deleted; its machines are being given back\nskycluster/held: gone\n');
    assert.equal((await sky(`down held -n ${namespace}`)).code, 3);
  });

  it('does not delete the cluster of a job, which would rent it again', async () => {
    const owner = { apiVersion: 'sky-operator.dev/v1alpha1', kind: 'SkyJob', name: 'long' };
    const uid = await must(['get', 'skyjob', 'long', '-o', 'jsonpath={.metadata.uid}']);
    await given('SkyCluster', 'long', {}, { ownerReferences: [{ ...owner, uid }] });
    const { code, stderr } = await sky(`down long -n ${namespace}`);
    assert.equal(code, 1);
    assert.match(stderr, /kubectl sky cancel long/);
  });

  it('tells by its exit code what went wrong', async () => {
    const plane = await controlPlane();
    const stranger = await plane.kubeconfigFor({ user: 'stranger' });
    assert.equal((await sky('status', stranger)).code, 4);
    assert.equal((await sky('status --context absent')).code, 2);
    assert.equal((await sky('status', '/absent')).code, 2);
    assert.equal((await sky('stauts')).code, 2);
    assert.match((await sky('version')).stdout, /^kubectl sky +\d+\.\d+\.\d+\nKubernetes +v1\.\d+/);
  });

  it('says how to install the logs API where there is none', async () => {
    await given('SkyJob', 'mute', { phase: 'Running', attempts });
    const { code, stderr } = await sky(`logs mute -n ${namespace}`);
    assert.equal(code, 1);
    assert.match(stderr, /kubectl apply -k deploy\/kustomize\/components\/logs-api/);
  });

  describe('with the logs API', () => {
    let server: Awaited<ReturnType<typeof aLogsApi>>;
    before(async () => {
      server = await aLogsApi();
    });
    after(() => server.stop());

    it('shows the log of a running job and ends with 0', async () => {
      const job = await server.job(namespace, 'talk', { phase: 'Running', attempts });
      job.append('1/0', 'one\ntwo\n');
      assert.deepEqual(await sky(`logs talk --tail 1 -n ${namespace}`), { code: 0, stdout: 'two\n', stderr: '' });
      assert.equal((await sky(`logs talk --rank 9 -n ${namespace}`)).code, 2);
      assert.equal((await sky(`logs absent -n ${namespace}`)).code, 102);
    });

    for (const [name, status, last, code] of [
      ['good', { phase: 'Succeeded' }, '--- Succeeded\n', 0],
      ['bad', { phase: 'Failed', reason: 'UserError' }, '--- Failed: UserError\n', 100],
      ['stopped', { phase: 'Failed', reason: 'Cancelled' }, '--- Failed: Cancelled\n', 103],
    ] as const) {
      it(`follows a job to its end and ends with ${code} for ${last.trim()}`, async () => {
        const job = await server.job(namespace, name, { phase: 'Running', attempts });
        job.append('1/0', 'begun\n');
        const following = sky(`logs ${name} -f -n ${namespace}`);
        await server.job(namespace, name, { ...status, conditions: ended });
        assert.deepEqual(await following, { code, stdout: `begun\n${last}`, stderr: '' });
      });
    }

    it('tries again while it reaches a follower', async () => {
      const job = await server.job(namespace, 'far', { phase: 'Running', attempts });
      job.append('1/0', 'found\n');
      server.state.leads = false;
      const reading = sky(`logs far -n ${namespace}`);
      await eventually('a follower was asked', () => server.state.asked > 0);
      server.state.leads = true;
      assert.equal((await reading).stdout, 'found\n');
    });
  });
});
