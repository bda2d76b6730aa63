import assert from 'node:assert/strict';
import type { ResourceRequest } from '../../../src/api/types.gen.ts';
import { parseCatalog } from '../../../src/catalog/load.ts';
import { planStages, type StageRequest } from '../../../src/optimizer/dag/stages.ts';
import type { CloudView } from '../../../src/optimizer/types.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region';

function cloud(name: string, provider: string, startupSeconds: number, rows: readonly string[]): CloudView {
  const catalog = parseCatalog([HEADER, ...rows].join('\n'), provider).snapshot;
  return { name, provider, priority: 0, lacks: [], inUse: { nodes: 0, hourlyMicro: 0 }, startupSeconds, catalog };
}

const CLOUDS = [
  cloud('slow', 'aws', 600, ['m6i.x,,,4,16,1,,r', 'gpu,T4,1,4,16,2,,r']),
  cloud('fast', 'gcp', 60, ['n2-standard-4,,,4,16,3,,r']),
  // A second account of one provider: data moves between the two for nothing.
  cloud('other', 'aws', 600, ['m6i.x,,,4,16,0.5,,r']),
];

function stage(name: string, resources: ResourceRequest, more: Partial<StageRequest> = {}): StageRequest {
  const input = { resources, numNodes: 1, optimize: 'Cost', clouds: CLOUDS, exclusions: [], now: 0 } as const;
  return { name, input, ...more };
}

function placed(stages: readonly StageRequest[], optimize: 'Cost' | 'Time') {
  const plan = planStages(stages, optimize);
  assert.ok(plan.outcome === 'Planned');
  return plan;
}

describe('the stages of a pipeline', () => {
  const chain = [stage('a', { accelerators: 'T4' }, { outputGiB: 101 }), stage('b', { cpus: 4 }, { dependsOn: ['a'] })];

  it('are placed for the least money, with data moving freely between accounts of one provider', () => {
    const { stages, transfers, costMicro, seconds } = placed(chain, 'Cost');
    assert.deepEqual(
      stages.map(({ chosen }) => chosen.cloud),
      ['slow', 'other'],
    );
    assert.deepEqual([transfers, costMicro, seconds], [[], 2_500_000, 2 * (600 + 3_600)]);
  });

  it('are placed for the least time where that is asked, and the transfer counts as time and as money', () => {
    const { stages, transfers, costMicro, seconds } = placed(chain, 'Time');
    assert.deepEqual(
      stages.map(({ chosen }) => chosen.cloud),
      ['slow', 'fast'],
    );
    assert.deepEqual(transfers, [{ from: 'a', to: 'b', sizeGiB: 101, costMicro: 9_000_000, seconds: 80.8 }]);
    assert.equal(costMicro, 2_000_000 + 9_000_000 + 3_000_000);
    assert.equal(seconds, 600 + 3_600 + 80.8 + 60 + 3_600);
  });

  it('come in an order in which each follows what it depends on', () => {
    const { stages } = placed([chain[1] ?? assert.fail(), chain[0] ?? assert.fail()], 'Cost');
    assert.deepEqual(
      stages.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('have the first item of ordered that has a place, whatever the others cost', () => {
    const ordered = [{ accelerators: 'A100' }, { infra: 'fast', cpus: 4 }, { cpus: 4 }];
    const { stages } = placed([stage('a', { ordered })], 'Cost');
    assert.equal(stages[0]?.chosen.cloud, 'fast');
  });

  it('are not placed where one of them has no place, and each of these says why', () => {
    const plan = planStages([stage('a', { accelerators: 'A100' }), stage('b', { cpus: 4 })], 'Cost');
    assert.ok(plan.outcome === 'Failed');
    assert.deepEqual(
      plan.stages.map((failed) => [failed.name, failed.plan.reason]),
      [['a', 'Infeasible']],
    );
  });
});
