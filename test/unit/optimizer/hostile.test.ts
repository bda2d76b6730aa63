import assert from 'node:assert/strict';
import { deviceGiB } from '../../../src/catalog/gpu-info.ts';
import { parseCatalog } from '../../../src/catalog/load.ts';
import { convert } from '../../../src/cli/skypilot/convert.ts';
import { nearNames } from '../../../src/optimizer/explain/distance.ts';
import { acceleratorOfLabel } from '../../../src/optimizer/local/gpu-label.ts';
import { shortages } from '../../../src/optimizer/local/shortage.ts';
import { parseLocalType } from '../../../src/optimizer/local/type-name.ts';
import { rank } from '../../../src/optimizer/rank.ts';
import { infraDisplay, parseInfra } from '../../../src/optimizer/request/infra.ts';
import { isValidLabel } from '../../../src/optimizer/request/labels.ts';
import { portRanges } from '../../../src/optimizer/request/ports.ts';
import type { RankInput } from '../../../src/optimizer/types.ts';
import { recordsOf } from '../../support/csv.ts';

const SIZE = 65_536;
const MOST_MS = 100;

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region';
const catalog = parseCatalog(
  [HEADER, 'm6i.large,,,2,8,,0.1,,us-east-1', 'p4d,A100,8,96,1152,,30,,us-east-1'].join('\n'),
  'aws',
).snapshot;

function planOf(resources: RankInput['resources']): void {
  const inUse = { nodes: 0, hourlyMicro: 0 };
  const cloud = { name: 'aws', provider: 'aws', priority: 0, lacks: [], inUse, startupSeconds: 120, catalog };
  const plan = rank({ resources, numNodes: 1, optimize: 'Cost', clouds: [cloud], exclusions: [], now: 0 });
  assert.ok(plan.message.length <= 1_024);
}

/** Texts that patterns of a careless kind take long over: long runs that almost match, and what makes them start again. */
const HOSTILE: readonly string[] = [
  'a',
  '9',
  ' ',
  '/',
  '-',
  'a-',
  '1.',
  ':',
  'a:',
  '"',
  '""',
  '",',
  '1GB',
  'a.b_c',
  'Insufficient ',
  "'MemoryMiB': ",
  '*/',
  'é',
  '\u0000',
  '\uD800',
].flatMap((part) => {
  const run = part.repeat(Math.floor(SIZE / part.length));
  return [run, `${run}!`, `!${run}`, `1${run}`];
});

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  cpus: (text) => planOf({ cpus: text }),
  memory: (text) => planOf({ memory: text }),
  accelerators: (text) => planOf({ accelerators: text }),
  infra: (text) => planOf({ infra: text }),
  'cloud, region and zone': (text) => planOf({ cloud: text, region: text, zone: text }),
  region: (text) => planOf({ region: text }),
  zone: (text) => planOf({ zone: text }),
  instanceType: (text) => planOf({ instanceType: text }),
  diskTier: (text) => planOf({ diskTier: text as 'low' }),
  labels: (text) => planOf({ labels: { [text]: text } }),
  'a label on any cloud': (text) => ['aws', 'gcp', 'kubernetes'].map((provider) => isValidLabel(provider, text, text)),
  ports: (text) => portRanges([text]),
  'a place to show': (text) => infraDisplay({ cloud: 'a', zone: text }),
  'a place by itself': (text) => parseInfra(text, 'infra'),
  'the name of a local machine': parseLocalType,
  'a node label': acceleratorOfLabel,
  'a message of the scheduler': shortages,
  'a name to guess': (text) => nearNames(text, ['us-east-1', 'A100']),
  GpuInfo: deviceGiB,
  CSV: recordsOf,
  'a catalog': (text) => parseCatalog(`${HEADER}\n${text}`, 'aws'),
  'the header of a catalog': (text) => parseCatalog(`${text}\n${HEADER}`, 'aws'),
  ...Object.fromEntries(['name', 'workdir'].map((field) => [`${field} of a SkyPilot file`, taskWith(field)])),
  ...Object.fromEntries(
    ['accelerators', 'disk_size', 'autostop'].map((field) => [
      `resources.${field} of a SkyPilot file`,
      (text: string) => convertOnly({ resources: { [field]: text } }),
    ]),
  ),
  'a key of a SkyPilot file': (text) => convertOnly({ [text]: 1 }),
  'a variable of a SkyPilot file': (text) => convertOnly({ envs: { [text]: 'x' }, file_mounts: { '/a': '${A}' } }),
};

function taskWith(field: string): (text: string) => unknown {
  return (text) => convertOnly({ [field]: text });
}

function convertOnly(task: object): unknown {
  return convert(JSON.stringify(task), () => ({ no: '' }));
}

/** Of this thread alone; other work on the machine does not count. */
function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok(!(error instanceof RangeError || error instanceof TypeError), String(error));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe('hostile text of 64 KiB', () => {
  for (const [field, read] of Object.entries(READERS)) {
    it(`is answered at once as ${field}`, () => {
      for (const text of HOSTILE) {
        // The first call may compile a pattern or meet the collector.
        let ms = cpuMs(() => read(text));
        for (let again = 0; ms >= MOST_MS && again < 2; again++) ms = cpuMs(() => read(text));
        assert.ok(ms < MOST_MS, `${ms} ms for ${JSON.stringify(text.slice(0, 20))}`);
      }
    }).timeout(60_000);
  }
});
