import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert as hold, object as record, oneof, property, constantFrom, string, integer } from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { convert } from '../../../src/cli/skypilot/convert.ts';
import { run, type Ran } from './support.ts';

const EVERY_FIELD = `
name: every
num_nodes: 2
workdir: src
envs: { PLAIN: 1, PATH_OF: no }
secrets: { TOKEN: hidden, LATER: }
resources:
  infra: aws/us-east-1
  instance_type: p4d.24xlarge
  cpus: 8+
  memory: 64
  accelerators: { A100: 8, H100: 8 }
  use_spot: true
  disk_size: 1TB
  disk_tier: BEST
  network_tier: best
  labels: { team: a }
  image_id: { us-east-1: ami-1 }
  ports: 80,8000-8010
  autostop: { idle_minutes: 10, down: true, wait_for: jobs }
  max_hourly_cost: 40.5
  priority: 7
  job_recovery: { strategy: eager_next_region, max_restarts_on_errors: 2, recover_on_exit_codes: [33, 34] }
file_mounts: { ~/one.txt: one.txt, /data: "s3://bucket/x" }
setup: pip install x
run: python train.py
`;

const REFUSED = `
service: {}
pool: {}
volumes: {}
volume_mounts: []
event_callback: x
config: {}
experimental: {}
file_mounts_mapping: {}
resources:
  local_disk: 1
  priority_class: high
  volumes: []
  image_id: { docker: x }
  accelerator_args: { tpu_vm: false, tpu_name: x }
file_mounts: { /d: { source: "s3://b", name: b, store: s3, persistent: true, type: bucket, config: {} } }
workdir: nowhere
run: x
`;

describe('kubectl sky convert', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sky-convert-'));
    mkdirSync(join(folder, 'src/deep'), { recursive: true });
    mkdirSync(join(folder, 'flat'));
    writeFileSync(join(folder, 'flat/main.py'), 'print(1)\n');
    writeFileSync(join(folder, 'one.txt'), 'one\n');
    writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
  });
  after(() => rmSync(folder, { recursive: true }));

  function converted(task: string, ...flags: readonly string[]): Promise<Ran> {
    const file = join(folder, 'task.yaml');
    writeFileSync(file, task);
    return run('convert', file, ...flags);
  }

  it('makes of every field what plan takes for a SkyJob without mistakes', async () => {
    const { code, stdout, stderr } = await converted(EVERY_FIELD.replace('workdir: src', 'workdir: flat'));
    assert.equal(code, 0, stderr);
    const kinds = parseAllDocuments(stdout).map((document) => document.get('kind'));
    assert.deepEqual(kinds, ['ConfigMap', 'Secret', 'SkyJob']);
    writeFileSync(join(folder, 'out.yaml'), stdout);
    const planned = await run('plan', '-f', join(folder, 'out.yaml'));
    assert.doesNotMatch(planned.stderr, /unknown field|expected|is not/);
    assert.notEqual(planned.code, 2, planned.stderr);
  });

  it('keeps the values of secrets out of the job', async () => {
    const { stdout, stderr } = await converted(EVERY_FIELD.replace('workdir: src', ''));
    const job = stdout.slice(stdout.indexOf('kind: SkyJob'));
    assert.doesNotMatch(job, /hidden/);
    assert.match(job, /name: TOKEN\n +valueFrom:\n +secretKeyRef:\n +name: every-secrets\n/);
    assert.match(stderr, /Secret every-secrets needs LATER/);
  });

  it('names everything that cannot be carried over, and prints nothing', async () => {
    const { code, stdout, stderr } = await converted(REFUSED);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    const named = [...stderr.matchAll(/task\.yaml: ([^ ]+): [^\n]+/g)].flatMap(([, field]) => field ?? []);
    const mount = ['name', 'store', 'persistent', 'type', 'config'].map((key) => `file_mounts./d.${key}`);
    const ofResources = ['local_disk', 'priority_class', 'volumes', 'image_id.docker'];
    const args = ['accelerator_args.tpu_vm', 'accelerator_args.tpu_name'];
    const top = ['service', 'pool', 'volumes', 'volume_mounts', 'event_callback', 'config', 'experimental'];
    const resources = [...ofResources, ...args].map((key) => `resources.${key}`);
    assert.deepEqual(new Set(named), new Set([...top, 'file_mounts_mapping', 'workdir', ...mount, ...resources]));
  });

  it('leaves out with --allow-loss what it then tells in comments', async () => {
    const { code, stdout } = await converted(REFUSED, '--allow-loss');
    assert.equal(code, 0);
    assert.match(stdout, /^# not carried over: service: serving is not supported/m);
    assert.match(stdout, /kind: SkyJob\nmetadata: \{\}\nspec:\n +files:\n/);
  });

  it('refuses a mistake with --allow-loss too', async () => {
    const { code, stderr } = await converted('resouces: {}\nservice: {}\n', '--allow-loss');
    assert.equal(code, 2);
    assert.match(stderr, /resouces: unknown field; did you mean resources\?/);
  });

  it('never makes a chain of jobs that run side by side', async () => {
    const { code, stderr } = await converted('execution: parallel\n---\nrun: a\n---\nrun: b\n', '--allow-loss');
    assert.equal(code, 2);
    assert.match(stderr, /execution: job groups are not supported/);
  });

  for (const [what, workdir, why] of [
    ['a folder with folders', 'src', /src\/deep does not fit a ConfigMap.*use git or a bucket/],
    ['a file as workdir', 'one.txt', /one\.txt is not a folder/],
    ['what is not there', 'none', /cannot read none/],
  ] as const)
    it(`refuses ${what}`, async () => {
      assert.match((await converted(`workdir: ${workdir}`)).stderr, why);
    });

  it('refuses a mounted file that is not text', async () => {
    assert.match((await converted('file_mounts: { /b: binary }')).stderr, /binary is not text; use git or a bucket/);
  });

  it('prints JSON for programs, one object or a List', async () => {
    const one = JSON.parse((await converted('run: x', '-o', 'json')).stdout);
    assert.equal(one.kind, 'SkyJob');
    const list = JSON.parse((await converted('secrets: { A: b }', '-o', 'json')).stdout);
    assert.deepEqual([list.kind, list.items.length], ['List', 2]);
  });

  it('tells which document of several is meant', async () => {
    assert.match((await converted('run: a\n---\nrun: [b]\n')).stderr, /document 2: run: /);
  });

  it('answers a wrong format and a missing file with 2', async () => {
    assert.equal((await converted('run: x', '-o', 'xml')).code, 2);
    assert.equal((await run('convert', join(folder, 'missing.yaml'))).code, 2);
  });

  it('answers problems, never throws, whatever stands in a field', () => {
    const keys = ['name', 'num_nodes', 'resources', 'envs', 'secrets', 'file_mounts', 'workdir', 'run', 'inputs'];
    const inside = ['accelerators', 'any_of', 'ordered', 'autostop', 'job_recovery', 'image_id', 'ports', 'labels'];
    const value = oneof(string(), integer(), constantFrom(null, true, [], {}, [null], [[1]], { a: null }, [{ a: 1 }]));
    const map = (names: readonly string[]) => record(Object.fromEntries(names.map((name) => [name, value])));
    hold(
      property(map(keys), map(inside), constantFrom(true, false), (task, resources, isNested) => {
        const text = JSON.stringify(isNested ? { ...task, resources } : task);
        const { problems } = convert(text, () => ({ no: 'no files here' }));
        assert.ok(problems.every(({ message }) => message !== ''));
      }),
    );
    hold(property(string(), (text) => Array.isArray(convert(text, () => ({ no: '' })).problems)));
  });
});
