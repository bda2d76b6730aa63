import assert from 'node:assert/strict';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { API_VERSION } from './support.ts';

interface BadInput {
  readonly what: string;
  /** Default SkyCluster. */
  readonly kind?: 'SkyCloud' | 'SkyJob';
  readonly name?: string;
  readonly spec: unknown;
  /** What the error must name. */
  readonly says: readonly string[];
}

const MAX_INTEGER = 'should be less than or equal to';
const cloud = (rest: object) => ({ provider: 'aws', allowedNamespaces: { from: 'All' }, ...rest });
const env = (name: string) => ({ env: [{ name, value: '1' }] });
const file = (path: string) => ({ files: [{ path, inline: '' }] });
const portsOf = (port: unknown) => ({ ports: [port] });

const BAD: readonly BadInput[] = [
  { what: 'no spec at all', spec: undefined, says: ['spec: Required value'] },
  { what: 'a spec that is no object', spec: 'cheap', says: ['spec', 'must be of type object'] },
  { what: 'an unknown field', spec: { numNode: 2 }, says: ['unknown field "spec.numNode"'] },
  {
    what: 'an unknown field deep inside',
    spec: { resources: { anyOf: [{ gpu: 1 }] } },
    says: ['unknown field "spec.resources.anyOf[0].gpu"'],
  },
  { what: 'an unknown field of status', kind: 'SkyJob', spec: { cluster: {}, status: {} }, says: ['"spec.status"'] },

  { what: 'numNodes -1', spec: { numNodes: -1 }, says: ['spec.numNodes', 'greater than or equal to 1'] },
  { what: 'numNodes 0', spec: { numNodes: 0 }, says: ['spec.numNodes', 'greater than or equal to 1'] },
  { what: 'numNodes 1e9', spec: { numNodes: 1e9 }, says: ['spec.numNodes', `${MAX_INTEGER} 1000`] },
  { what: 'numNodes beyond 2^53', spec: { numNodes: 2 ** 53 + 2 }, says: ['spec.numNodes', `${MAX_INTEGER} 1000`] },
  { what: 'numNodes 1.5', spec: { numNodes: 1.5 }, says: ['spec.numNodes', 'must be of type integer'] },
  { what: 'numNodes "3"', spec: { numNodes: '3' }, says: ['spec.numNodes', 'must be of type integer'] },

  {
    what: 'a price in words',
    spec: { maxHourlyPrice: 'abc' },
    says: ['spec.maxHourlyPrice', '"abc" is not an amount'],
  },
  {
    what: 'a price as a number',
    spec: { maxHourlyPrice: 12.5 },
    says: ['spec.maxHourlyPrice', 'must be of type string'],
  },
  {
    what: 'a negative price',
    spec: { budget: { maxTotal: '-1' } },
    says: ['spec.budget.maxTotal', '"-1" is not an amount'],
  },
  {
    what: 'a limit of -1',
    kind: 'SkyCloud',
    spec: cloud({ limits: { maxNodes: -1 } }),
    says: ['spec.limits.maxNodes'],
  },

  {
    what: 'anyOf and ordered at once',
    spec: { resources: { anyOf: [{}], ordered: [{}] } },
    says: ['spec.resources.anyOf: Forbidden', 'both anyOf and ordered'],
  },
  {
    what: 'infra and region at once',
    spec: { resources: { infra: 'aws', region: 'x' } },
    says: ['spec.resources.infra: Forbidden', 'keep one form'],
  },
  {
    what: '17 alternatives',
    spec: { resources: { anyOf: Array.from({ length: 17 }, () => ({})) } },
    says: ['spec.resources.anyOf: Too many: 17', 'at most 16'],
  },
  {
    what: 'cpus in words',
    spec: { resources: { cpus: 'many' } },
    says: ['spec.resources.cpus', '"many" is not a number of vCPUs'],
  },
  {
    what: 'cpus in words in an alternative',
    spec: { resources: { anyOf: [{ cpus: 'many' }] } },
    says: ['spec.resources.anyOf[0].cpus'],
  },
  {
    what: 'an unknown objective',
    spec: { optimize: 'Fun' },
    says: ['spec.optimize: Unsupported value: "Fun"', '"Cost", "Time"'],
  },

  { what: 'a duration in words', spec: { autostop: { idleMinutes: '-5m' } }, says: ['spec.autostop.idleMinutes'] },
  {
    what: 'a negative duration',
    spec: { provisioning: { deadlineSeconds: -5 } },
    says: ['spec.provisioning.deadlineSeconds'],
  },
  {
    what: 'a duration beyond all time',
    kind: 'SkyJob',
    spec: { cluster: {}, ttlSecondsAfterFinished: 1e12 },
    says: ['spec.ttlSecondsAfterFinished'],
  },

  { what: 'a port 0', spec: portsOf('0'), says: ['spec.ports[0]', '"0" is not a port'] },
  { what: 'a port as a number', spec: portsOf(80), says: ['spec.ports[0]', 'must be of type string'] },
  { what: 'a range of ports upside down', spec: portsOf('90-80'), says: ['spec.ports[0]', '"90-80" is not a port'] },
  { what: 'the same port twice', spec: { ports: ['80', '80'] }, says: ['spec.ports[1]: Duplicate value: "80"'] },

  { what: 'a variable name with a command', spec: env('A;id'), says: ['spec.env[0].name', 'must be letters, digits'] },
  { what: 'a variable name with a space', spec: env('A B'), says: ['spec.env[0].name', 'must be letters, digits'] },
  {
    what: 'a variable name that begins with a digit',
    spec: env('1A'),
    says: ['spec.env[0].name', 'must be letters, digits'],
  },
  { what: 'an empty variable name', spec: env(''), says: ['spec.env[0].name', 'at least 1 char'] },
  {
    what: 'a variable name of ours',
    spec: env('SKYPILOT_NODE_RANK'),
    says: ['spec.env[0].name: Forbidden', 'reserved; set it inside run'],
  },
  {
    what: 'the same variable twice',
    spec: { env: [{ name: 'A' }, { name: 'A' }] },
    says: ['spec.env[1]: Duplicate value', '"name":"A"'],
  },
  { what: 'a variable with NUL', spec: { env: [{ name: 'A', value: 'a\0b' }] }, says: ['spec.env[0].value'] },

  { what: 'a file outside by ".."', spec: file('/../../etc/cron.d/x'), says: ['spec.files[0].path', '".."'] },
  {
    what: 'a file among the keys of root',
    spec: file('/root/.ssh/authorized_keys'),
    says: ['spec.files[0].path: Forbidden', 'reserved; choose'],
  },
  {
    what: 'a file in our own folder',
    spec: file('/var/lib/sky/x'),
    says: ['spec.files[0].path: Forbidden', 'reserved; choose'],
  },
  { what: 'a file of no source', spec: { files: [{ path: 'a' }] }, says: ['spec.files[0]', 'exactly one of inline'] },
  {
    what: 'a file of mode 4755',
    spec: { files: [{ path: 'a', inline: '', mode: '4755' }] },
    says: ['spec.files[0].mode'],
  },

  {
    what: 'a login name that is an option',
    spec: { ssh: { user: 'root -oProxyCommand=touch /tmp/x' } },
    says: ['spec.ssh.user', 'must be a login name'],
  },
  {
    what: 'a Secret of another namespace',
    spec: { files: [{ path: 'a', secretRef: { name: 'a', namespace: 'kube-system' } }] },
    says: ['unknown field "spec.files[0].secretRef.namespace"'],
  },
  {
    what: 'a variable of another namespace',
    spec: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: 'b', namespace: 'kube-system' } } }] },
    says: ['unknown field "spec.env[0].valueFrom.secretKeyRef.namespace"'],
  },
  {
    what: 'a cluster of another namespace',
    kind: 'SkyJob',
    spec: { clusterRef: { name: 'a', namespace: 'other' } },
    says: ['unknown field "spec.clusterRef.namespace"'],
  },
  {
    what: 'a job with two places to run',
    kind: 'SkyJob',
    spec: { clusterRef: { name: 'a' }, cluster: {} },
    says: ['spec.clusterRef: Forbidden', 'both clusterRef and cluster'],
  },
  {
    what: 'a job with no place to run',
    kind: 'SkyJob',
    spec: { run: 'true' },
    says: ['spec.cluster: Required', 'one of clusterRef and cluster'],
  },
  {
    what: 'a cloud that nobody was given',
    kind: 'SkyCloud',
    spec: { provider: 'aws' },
    says: ['spec.allowedNamespaces: Required value'],
  },

  {
    what: 'a name that is an option',
    kind: 'SkyJob',
    name: '-oProxyCommand=touch$IFS/tmp/x',
    spec: { cluster: {} },
    says: ['metadata.name', 'RFC 1123'],
  },
  { what: 'a name of 53 characters', name: 'n'.repeat(53), spec: {}, says: ['metadata.name', 'at most 52 characters'] },
  {
    what: 'a cloud named like another provider',
    kind: 'SkyCloud',
    name: 'gcp',
    spec: cloud({}),
    says: ['spec.provider', 'choose another metadata.name'],
  },
];

describe('bad input', function () {
  this.timeout(60_000);
  let namespace: string;

  before(async () => {
    namespace = await freshNamespace();
  });

  // An operator that a later test starts would rent machines for them.
  after(() => kubectl(['delete', 'skyclusters,skyjobs', '--all']));

  for (const { what, kind = 'SkyCluster', name = `bad-${process.pid}`, spec, says } of BAD)
    it(`refuses ${what}, naming it`, async () => {
      const { code, stderr } = await kubectl(['create', '-f', '-'], textOf(kind, name, spec));
      assert.equal(code, 1, stderr);
      for (const words of says) assert.ok(stderr.includes(words), `${words} is not in: ${stderr.slice(0, 500)}`);
      assert.deepEqual(await stored(kind, name), []);
    });

  for (const verb of [['create'], ['apply', '--server-side']])
    for (const [field, spec] of Object.entries({
      setup: { cluster: {}, setup: 'a'.repeat(2 * 2 ** 20) },
      run: { cluster: {}, run: 'a'.repeat(2 * 2 ** 20) },
    }))
      it(`refuses ${field} of 2 MiB by ${verb.join(' ')}, naming the limit and the way out`, async () => {
        const { code, stderr } = await kubectl([...verb, '-f', '-'], textOf('SkyJob', 'big', spec));
        assert.equal(code, 1);
        assert.match(stderr, new RegExp(`spec.${field}: Forbidden: .*at most 256 KiB; put larger content in files`));
        assert.ok(stderr.length < 1000, 'the script is not repeated');
        assert.deepEqual(await stored('SkyJob', 'big'), []);
      });

  const HOSTILE = {
    'a command in a value': { env: [{ name: 'A', value: '$(touch /tmp/pwn)' }] },
    'a newline in a value': { env: [{ name: 'A', value: 'a\n; curl evil' }] },
    'quotes and a right-to-left override in a label': { cloudLabels: { note: `"'\`\u202Egpj.exe` } },
    'a here-document end in a script': { setup: 'cat <<EOF\nx\nEOF\nexit 0\n' },
  };
  for (const [what, spec] of Object.entries(HOSTILE))
    it(`keeps ${what} as it was written`, async () => {
      const { stdout, stderr } = await kubectl(
        ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
        textOf('SkyCluster', 'hostile', spec),
      );
      const object = JSON.parse(stdout || `{"error": ${JSON.stringify(stderr)}}`) as { spec: object };
      assert.deepEqual(object.spec, { numNodes: 1, ...spec });
    });

  it('takes a name of 52 characters', async () => {
    for (const kind of ['SkyCluster', 'SkyJob'] as const) {
      const spec = kind === 'SkyJob' ? { cluster: {} } : {};
      const { code, stderr } = await kubectl(['create', '-f', '-'], textOf(kind, 'n'.repeat(52), spec));
      assert.equal(code, 0, stderr);
    }
  });

  it('does not keep out the good objects of the same file', async () => {
    const file = [textOf('SkyCluster', 'good', {}), textOf('SkyCluster', 'bad', { numNodes: 0 })].join('\n---\n');
    const { code, stderr } = await kubectl(['apply', '-f', '-'], file);
    assert.equal(code, 1);
    assert.match(stderr, /"bad" is invalid: spec.numNodes/);
    assert.deepEqual(await stored('SkyCluster', 'good'), ['good']);
    assert.deepEqual(await stored('SkyCluster', 'bad'), []);
  });

  it('leaves the stored object as it was', async () => {
    await kubectl(['create', '-f', '-'], textOf('SkyCluster', 'steady', { numNodes: 2 }));
    const { code, stderr } = await kubectl(
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      textOf('SkyCluster', 'steady', { numNodes: 0 }),
    );
    assert.equal(code, 1);
    assert.match(stderr, /spec.numNodes/);
    const { stdout } = await kubectl(['get', 'skycluster', 'steady', '-o', 'jsonpath={.spec.numNodes}']);
    assert.equal(stdout, '2');
  });

  async function kubectl(args: readonly string[], input = '') {
    return await (await controlPlane()).kubectl(['-n', namespace, ...args], { input });
  }

  /** The names of the objects of this kind that are stored under `name`. */
  async function stored(kind: string, name: string): Promise<string[]> {
    const { stdout } = await kubectl(['get', kind, '-o', 'jsonpath={.items[*].metadata.name}']);
    return stdout.split(' ').filter((one) => one === name);
  }
});

function textOf(kind: string, name: string, spec: unknown): string {
  return JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec });
}
