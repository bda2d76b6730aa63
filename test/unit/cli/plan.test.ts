import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtinCatalogDate, builtinProviders } from '../../../src/catalog/builtin.ts';
import { NOT_MODELLED } from '../../../src/optimizer/explain/notes.ts';
import { run, type Ran } from './support.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone';
const ACME = [HEADER, 'big,A100,8,96,1152,20,8,north,', 'big,A100,8,96,1152,21,7,south,', 'small,,,4,16,0.2,,north,'];
const GCP = [
  HEADER,
  'n1-standard-8,,,8,30,0.38,0.08,us-east1,us-east1-c',
  ',T4,1,,,0.35,0.11,us-east1,us-east1-c',
  'n2-standard-4,,,4,16,0.19,,us-east1,us-east1-c',
];
const HEAD = 'apiVersion: sky-operator.dev/v1alpha1\nkind: SkyCluster\nmetadata: { name: pair }\n';

describe('kubectl sky plan', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sky-plan-'));
    writeFileSync(join(folder, 'acme.csv'), ACME.join('\n'));
    writeFileSync(join(folder, 'gcp.csv'), GCP.join('\n'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** File names in the output are shown without their folder. */
  async function plan(yaml: string, ...flags: readonly string[]): Promise<Ran> {
    const file = join(folder, 'file.yaml');
    writeFileSync(file, yaml);
    const catalogs = ['acme', 'gcp'].flatMap((name) => ['--catalog', `${name}=${join(folder, name)}.csv`]);
    const { code, stdout, stderr } = await run('plan', '-f', file, ...catalogs, ...flags);
    return { code, stdout: stdout.replaceAll(`${folder}/`, ''), stderr: stderr.replaceAll(`${folder}/`, '') };
  }
  const cluster = (spec: string): string => `${HEAD}spec: ${spec}\n`;

  it('shows the cheapest place of each cloud, accelerator and market, and what is chosen', async () => {
    const both = '{ numNodes: 2, resources: { accelerators: "A100:8", anyOf: [{ useSpot: true }, {}] } }';
    const { code, stdout } = await plan(cluster(both));
    assert.equal(code, 0);
    assert.equal(
      stdout.replace(/sha256:\w{12}/, 'HASH'),
      [
        'INFRA        INSTANCE   VCPUS   MEM(GB)   ACCELERATORS   MARKET      $/H(1 node)   $/H(x2)   CHOSEN',
        'acme/south   big        96      1152      A100:8         spot        7.00          14.00     ✔',
        'acme/north   big        96      1152      A100:8         on-demand   20.00         40.00',
        'catalog HASH',
        '',
        'prices: acme from acme.csv, gcp from gcp.csv',
        NOT_MODELLED,
        '',
      ].join('\n'),
    );
  });

  it('shows every place with --all', async () => {
    const { stdout } = await plan(cluster('{ resources: { accelerators: "A100:8" } }'), '--all');
    assert.match(stdout, /acme\/north .*20\.00 +✔\nacme\/south .*21\.00\n/);
  });

  it('names accelerators beside the machine where they are bought beside it', async () => {
    const { stdout } = await plan(cluster('{ resources: { accelerators: T4 } }'));
    assert.match(stdout, /gcp\/us-east1\/us-east1-c +n1-standard-8\+T4:1 +8 +30 +T4:1 +on-demand +0\.73 +✔/);
  });

  it('finds the kind whose cheapest place comes after a thousand others', async () => {
    const many = Array.from({ length: 1_200 }, (_, at) => `m${at},,,4,16,0.1,,north,`);
    writeFileSync(join(folder, 'many.csv'), [HEADER, ...many].join('\n'));
    const { stdout } = await plan(
      cluster('{ resources: { cpus: 4 } }'),
      '--catalog',
      `many=${join(folder, 'many.csv')}`,
    );
    assert.match(stdout, /many\/north .*✔\ngcp\/us-east1\/us-east1-c .*\nacme\/north /);
  });

  it('tells what else should be known of the plan', async () => {
    const { code, stdout } = await plan(
      cluster('{ resources: { anyOf: [{ accelerators: "100:8" }, { instanceType: big, cpus: 4 }] } }'),
    );
    assert.equal(code, 0);
    assert.ok(stdout.includes('\nnote: accelerators 100:8 is read as A100, the only name that contains it\n'), stdout);
    assert.match(
      stdout,
      /\nnote: no offering for the alternative big 4 vCPUs \(InstanceTypeMismatch: big has 96 vCPUs/,
    );
  });

  it('plans every object of a file, and says which it leaves out', async () => {
    const job = (name: string, spec: string) =>
      `apiVersion: sky-operator.dev/v1alpha1\nkind: SkyJob\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
    const { code, stdout, stderr } = await plan(
      [
        cluster('{ resources: { cpus: 4 } }'),
        'apiVersion: v1\nkind: Secret\n',
        job('own', '{ run: "true", numNodes: 3, cluster: { resources: { instanceType: small } } }'),
        job('guest', '{ run: "true", clusterRef: { name: pair } }'),
      ].join('---\n'),
    );
    assert.equal(code, 0);
    assert.match(stdout, /^skycluster\/pair\n[^]*\nskyjob\/own\n.*\$\/H\(x3\)[^]* 0\.20 +0\.60 +✔/);
    assert.equal(stderr, 'left out: Secret\nskyjob/guest runs on skycluster/pair and rents nothing of its own\n');
  });

  it('gives programs the same as JSON', async () => {
    const { code, stdout } = await plan(cluster('{ resources: { cpus: 4 } }'), '-o', 'json');
    const { catalogs, plans } = JSON.parse(stdout) as { catalogs: object[]; plans: Record<string, unknown>[] };
    assert.equal(code, 0);
    assert.deepEqual(catalogs.length, 2);
    assert.equal(plans[0]?.['outcome'], 'Planned');
    assert.deepEqual(plans[0]?.['chosen'], {
      infra: 'gcp/us-east1/us-east1-c',
      cloud: 'gcp',
      region: 'us-east1',
      zone: 'us-east1-c',
      instanceType: 'n2-standard-4',
      vCPUs: 4,
      memoryGiB: 16,
      market: 'on-demand',
      nodes: 1,
      hourlyPrice: '0.19',
    });
  });

  for (const [name, spec, code, text] of [
    ['nothing fits', '{ resources: { accelerators: "A100:4" } }', 3, 'no offering for 1x A100:4 (NoSuchCount)\n'],
    ['the limit is too low', '{ maxHourlyPrice: "1", resources: { accelerators: "A100:8" } }', 3, 'OverMaxHourlyPrice'],
    ['no cloud is meant', '{ resources: { infra: azure } }', 5, '(NoCloudReady)\n'],
    ['the request contradicts itself', '{ resources: { instanceType: small, cpus: 8 } }', 2, 'small has 4 vCPUs'],
    [
      'a quantity is none',
      '{ resources: { cpus: few } }',
      2,
      'file.yaml:4: spec.resources.cpus: "few" is not a number',
    ],
  ] as const) {
    it(`exits with ${code} when ${name}`, async () => {
      const ran = await plan(cluster(spec));
      assert.equal(ran.code, code);
      assert.ok(ran.stdout.includes(text), ran.stdout);
      assert.ok(!ran.stdout.includes('see kubectl sky plan'), ran.stdout);
    });
  }

  for (const [name, yaml, text] of [
    ['broken YAML', 'a: [1\nb: 2\n', 'file.yaml:2: '],
    ['an alias of nothing', 'a: *x\n', 'file.yaml:1: Unresolved alias'],
    [
      'a field that does not exist',
      `${HEAD}spec:\n  resources:\n    acelerators: A100:8\n`,
      'file.yaml:6: spec.resources.acelerators: unknown field, did you mean accelerators?',
    ],
    [
      'a map of accelerators',
      cluster('{ resources: { accelerators: { A100: 8 } } }'),
      'spec.resources.accelerators: got a map, expected a string',
    ],
    [
      'a fraction without quotes',
      cluster('{ resources: { cpus: 1.5 } }'),
      'spec.resources.cpus: 1.5 is not an integer; quote it: "1.5"',
    ],
    [
      'a word that is none of those allowed',
      cluster('{ optimize: Speed }'),
      'spec.optimize: "Speed" is not one of Cost, Time',
    ],
    ['a number out of range', cluster('{ numNodes: 0 }'), 'spec.numNodes: 0 is less than 1'],
    [
      'an amount that is none',
      cluster('{ maxHourlyPrice: much }'),
      'spec.maxHourlyPrice: "much" must be an amount in USD',
    ],
    ['an empty alternative', cluster('{ resources: { anyOf: [null] } }'), 'spec.resources.anyOf[0]: the item is empty'],
    ['no spec', HEAD, 'spec is required'],
    ['no object of ours', 'apiVersion: v1\nkind: Secret\n', 'file.yaml has no SkyCluster or SkyJob'],
    [
      'a job without machines',
      'apiVersion: sky-operator.dev/v1alpha1\nkind: SkyJob\nspec: { run: x }\n',
      'file.yaml:3: spec: one of cluster and clusterRef is required',
    ],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const { code, stdout, stderr } = await plan(yaml);
      assert.equal(code, 2, stderr);
      assert.ok(stderr.includes(text), stderr);
      assert.equal(stdout, '');
    });
  }

  it('wants either a file or the name of an object', async () => {
    for (const args of [[], ['pair', '-f', 'x.yaml']]) {
      const { code, stderr } = await run('plan', ...args);
      assert.equal(code, 2);
      assert.match(stderr, /plan needs either -f FILE or the NAME/);
    }
  });

  it('plans a SkyPilot task, and says what of it changes no machine', async () => {
    const task =
      'name: My.Task\nnum_nodes: 2\nworkdir: nowhere\nevent_callback: x\nresources: { accelerators: { A100: 8 } }\n';
    const { code, stdout, stderr } = await plan(task);
    assert.equal(code, 0);
    assert.match(stdout, /acme\/north .*A100:8 +on-demand +20\.00 +40\.00 +✔/);
    assert.match(stderr, /^left out: file\.yaml:4: event_callback: nothing is called back/);
  });

  for (const [name, task, text] of [
    ['key', 'resources:\n  acelerators: A100\n', 'file.yaml:2: resources.acelerators: unknown field; did you mean acc'],
    ['value', 'resources:\n\n  any_of: [{}, { cpus: few }]\n', 'file.yaml:3: resources.any_of[1].cpus: "few" is not'],
    ['task of several', 'run: a\n---\nrun: b\nnum_nodes: 0\n', 'file.yaml:4: num_nodes: must be a whole number'],
  ] as const) {
    it(`refuses a wrong ${name} of a SkyPilot task, with its line`, async () => {
      const { code, stdout, stderr } = await plan(task);
      assert.equal(code, 2);
      assert.ok(stderr.includes(text), stderr);
      assert.equal(stdout, '');
    });
  }

  describe('of a pipeline', () => {
    const task = (size: number): string =>
      [
        'name: chain\n',
        `name: get\nrun: a\nresources: { accelerators: T4 }\noutputs: { "gs://b/x": ${size} }\n`,
        'name: use\nrun: b\nresources: { cpus: 4 }\n',
      ].join('---\n');

    it('places all stages so that they and the traffic between them cost least together', async () => {
      const { code, stdout } = await plan(task(0));
      assert.equal(code, 0);
      assert.equal(
        stdout.replace(/sha256:\w{12}/, 'HASH'),
        [
          'STAGE   INFRA                     INSTANCE             VCPUS   MEM(GB)   ACCELERATORS   MARKET      NODES   $/H    TIME   $',
          'get     gcp/us-east1/us-east1-c   n1-standard-8+T4:1   8       30        T4:1           on-demand   1       0.73   62m    0.73',
          'use     gcp/us-east1/us-east1-c   n2-standard-4        4       16                       on-demand   1       0.19   62m    0.19',
          'total: $0.92, done after 2h',
          'catalog HASH',
          '',
          'prices: acme from acme.csv, gcp from gcp.csv',
          NOT_MODELLED,
          '',
        ].join('\n'),
      );
    });

    it('shows what goes from one provider to another, and what that costs', async () => {
      const far = task(100).replace('resources: { cpus: 4 }', 'resources: { infra: acme, cpus: 4 }');
      const { stdout } = await plan(far);
      assert.match(stdout, /\nTRANSFER +TO +GIB +TIME +\$\nget +use +100 +80s +12\.00\n/);
      assert.match(stdout, /\ntotal: \$12\.93, of which \$12\.00 are for transfers between providers, done after 2h\n/);
    });

    it('stays with the data where leaving costs more than it saves', async () => {
      const cheap = [HEADER, 'n2-standard-4,,,4,16,0.19,,us-east1,us-east1-c', 'big,,,4,16,0.30,,us-east1,us-east1-c'];
      writeFileSync(join(folder, 'aws.csv'), cheap.join('\n').replaceAll('n2-standard-4', 'm6i.x'));
      const aws = ['--catalog', `aws=${join(folder, 'aws.csv')}`];
      const stages = (size: number): string =>
        task(size).replace(
          'resources: { cpus: 4 }',
          'resources: { any_of: [{ infra: aws }, { infra: gcp }], cpus: 4, memory: 16 }',
        );
      const placeOf = async (size: number) => /\nuse +(\w+)\//.exec((await plan(stages(size), ...aws)).stdout)?.[1];
      assert.deepEqual([await placeOf(0), await placeOf(1)], ['aws', 'gcp']);
    });

    it('is given to programs with its stages and transfers', async () => {
      const far = task(100).replace('resources: { cpus: 4 }', 'resources: { infra: acme, cpus: 4 }');
      const { plans } = JSON.parse((await plan(far, '-o', 'json')).stdout) as { plans: Record<string, unknown>[] };
      assert.deepEqual(plans[0]?.['transfers'], [{ from: 'get', to: 'use', sizeGiB: 100, seconds: 80, cost: '12.00' }]);
      assert.deepEqual([plans[0]?.['cost'], plans[0]?.['proven']], ['12.93', true]);
    });

    const job = (tasks: string): string =>
      `apiVersion: sky-operator.dev/v1alpha1\nkind: SkyJob\nmetadata: { name: p }\nspec:\n  tasks: ${tasks}\n`;

    it('reads stages of a SkyJob, takes the first item of ordered that has a place, and waits for inputs', async () => {
      const ordered = '{ ordered: [{ accelerators: "A100:3" }, { infra: acme, cpus: 4 }, { infra: gcp, cpus: 4 }] }';
      const { code, stdout } = await plan(
        job(`[{ name: a, inputs: [{ uri: "s3://b/x", sizeGiB: 11 }], cluster: { resources: ${ordered} } }]`),
      );
      assert.equal(code, 0);
      assert.match(stdout, /\na +acme\/north +small /);
      assert.match(stdout, /\ns3:\/\/b\/x +a +11 +8s +0\.90\n/);
    });

    it('names every stage that has no place, and exits as the first of them', async () => {
      const { code, stdout } = await plan(
        job(
          '[{ name: a, cluster: { resources: { accelerators: "A100:4" } } }, { name: b, cluster: { resources: { infra: azure } } }]',
        ),
      );
      assert.equal(code, 3);
      assert.match(
        stdout,
        /^stage a: no offering for 1x A100:4 \(NoSuchCount\)\n[^]*\nstage b: no offering for .*\(NoCloudReady\)\n/,
      );
    });

    it('is refused where stages wait for each other', async () => {
      const { code, stderr } = await plan(job('[{ name: a, dependsOn: [b] }, { name: b, dependsOn: [a] }]'));
      assert.equal(code, 2);
      assert.match(stderr, /file\.yaml:5: spec\.tasks: a, b wait for each other/);
    });
  });

  it('refuses a catalog that it cannot take', async () => {
    for (const [argument, text] of [
      ['acme', 'expected NAME=CSV'],
      [`acme=${join(folder, 'acme.csv')}`, 'acme is given more than once'],
      ['other=/nowhere.csv', 'cannot read /nowhere.csv'],
      [`other=${join(folder, 'file.yaml')}`, 'the header lacks InstanceType'],
    ] as const) {
      const { code, stderr } = await plan(cluster('{}'), '--catalog', argument);
      assert.equal(code, 2);
      assert.ok(stderr.includes(text), stderr);
    }
  });

  it('says how old the built-in prices are', async () => {
    const file = join(folder, 'file.yaml');
    writeFileSync(file, cluster('{ resources: { cpus: 4+ } }'));
    const { code, stdout } = await run('plan', '-f', file);
    assert.equal(code, 0);
    for (const provider of builtinProviders()) {
      assert.ok(stdout.includes(`\n${provider}/`) || stdout.startsWith(`${provider}/`), stdout);
      assert.ok(stdout.includes(`${provider} of ${builtinCatalogDate(provider)}`), stdout);
    }
    assert.match(stdout, /built-in prices, collected once and not live/);
  });
});
