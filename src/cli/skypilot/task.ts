/** One SkyPilot task, read key by key. */
import type { EnvVar, FileSource, SkyClusterSpec, Stage, Workdir } from '../../api/types.gen.ts';
import { decimal, millionths } from '../../optimizer/request/decimal.ts';
import { isProviderWord } from '../../optimizer/providers.ts';
import { infraOf, parseInfra } from '../../optimizer/request/infra.ts';
import { envOf, secretsOf, substitute } from './environment.ts';
import { fileOf, type Folder, type ReadLocal, type Sources, workdirOf } from './files.ts';
import { nameOf } from './names.ts';
import { readResources, type Shared } from './resources.ts';
import {
  attempt,
  type Fields,
  mapOf,
  pathOf,
  present,
  type Problem,
  readMap,
  refusals,
  refused,
  Refusal,
  type Rules,
  textOf,
  wholeOf,
} from './rules.ts';

export interface Task {
  readonly name?: string;
  /** Machines, without what a job keeps for itself. */
  readonly cluster: SkyClusterSpec;
  /** What runs and what it needs. */
  readonly work: Work;
  readonly job: Pick<Shared, 'priority' | 'recovery'>;
  readonly data: Pick<Stage, 'inputs' | 'outputGiB'>;
  /** Texts of ConfigMaps and Secrets that the task refers to, by name. */
  readonly folders: ReadonlyMap<string, Folder>;
  readonly secrets: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly notes: readonly string[];
}

export interface Work {
  setup?: string;
  run?: string;
  env?: EnvVar[];
  files?: FileSource[];
  workdir?: Workdir;
}

interface Draft extends Work {
  name: string;
  numNodes: number;
  secretEnv: EnvVar[];
  inputs: NonNullable<Stage['inputs']>;
  outputGiB: number;
}

const NODES = { from: 1, to: 1_000 };
const besideEachOther = refused('job groups are not supported; convert each task on its own');

const REFUSED = refusals({
  service: 'serving is not supported; run replicas as SkyClusters behind a Service',
  pool: 'use completions and parallelism: workers are kept between indexes',
  volumes: 'volumes are not attached; use file_mounts of a bucket',
  volume_mounts: 'volumes are not attached; use file_mounts of a bucket',
  event_callback: 'nothing is called back; watch status.phase of the SkyJob',
  config: 'settings belong to SkyCloud.spec.config, which an administrator writes',
  experimental: 'settings belong to SkyCloud.spec.config, which an administrator writes',
  file_mounts_mapping: "this key is SkyPilot's own and not for users; write file_mounts",
});

/** What only a group of jobs that run side by side has. Left out, it would make a chain of them. */
export const JOB_GROUP: Rules<Partial<Draft>> = {
  execution: (value, field) => (value === 'serial' ? {} : besideEachOther(value, field)),
  primary_tasks: besideEachOther,
  termination_delay: besideEachOther,
  inter_connection: besideEachOther,
};

/** `base` names ConfigMaps and Secrets of the task. */
export function readTask(value: unknown, base: string, local: ReadLocal, problems: Problem[]): Task {
  const { resources, ...fields } = attempt(problems, () => mapOf(value, '')) ?? {};
  const notes: string[] = [];
  const folders = new Map<string, Folder>();
  const secrets = new Map<string, Readonly<Record<string, string>>>();
  const configMap = (folder: Folder): string => {
    const name = `${base}-files-${folders.size}`;
    folders.set(name, folder);
    return name;
  };
  const secretEnv = (item: unknown, field: string): { secretEnv: EnvVar[] } => {
    const name = `${base}-secrets`;
    const { env, values, missing } = secretsOf(item, field, name, problems);
    if (Object.keys(values).length > 0) secrets.set(name, values);
    if (missing.length > 0) notes.push(`Secret ${name} needs ${missing.join(', ')}, which the file does not give`);
    return { secretEnv: env };
  };
  const rules: Rules<Partial<Draft>> = {
    ...RULES,
    ...REFUSED,
    ...JOB_GROUP,
    ...filesRules({ local, configMap, problems }, attempt([], () => mapOf(fields['envs'], 'envs')) ?? {}),
    envs: (item, field) => ({ env: envOf(item, field, problems) }),
    secrets: secretEnv,
    api_server_access: () => {
      notes.push('api_server_access is dropped: jobs have no access to an API server');
      return {};
    },
    // Known, but read apart.
    resources: () => ({}),
  };
  const draft = readMap<Draft>({ ...fields, resources: null }, '', rules, problems);
  return { ...taskOf(draft, resources, problems, notes), folders, secrets, notes };
}

const RULES: Rules<Partial<Draft>> = {
  name: (value, field) => ({ name: nameOf(value, field) }),
  num_nodes: (value, field) => ({ numNodes: wholeOf(value, field, NODES) }),
  setup: (value, field) => ({ setup: textOf(value, field) }),
  run: (value, field) => ({ run: textOf(value, field) }),
  inputs: (value, field) => ({
    inputs: sizesOf(value, field).map(([uri, sizeGiB]) => ({ uri, sizeGiB })),
  }),
  outputs: (value, field) => ({ outputGiB: sizesOf(value, field).reduce((sum, [, size]) => sum + size, 0) }),
};

function filesRules(sources: Sources, envs: Fields): Rules<Partial<Draft>> {
  return {
    workdir: (value, field) => {
      const workdir = workdirOf(substitute(value, envs), field, sources);
      return workdir ? { workdir } : {};
    },
    file_mounts: (value, field) => ({
      files: Object.entries(mapOf(substitute(value, envs), field)).flatMap(
        ([path, source]) => attempt(sources.problems, () => fileOf(path, source, pathOf(field, path), sources)) ?? [],
      ),
    }),
  };
}

/** GB by address, rounded up. */
function sizesOf(value: unknown, field: string): [string, number][] {
  return Object.entries(mapOf(value, field)).map(([uri, size]) => {
    if (typeof size === 'number' && size >= 0) return [uri, Math.ceil(size)];
    throw new Refusal(pathOf(field, uri), 'Format', 'must be a size in GB');
  });
}

function taskOf(
  draft: Partial<Draft>,
  value: unknown,
  problems: Problem[],
  notes: string[],
): Pick<Task, 'name' | 'cluster' | 'work' | 'job' | 'data'> {
  const { name, numNodes, env = [], secretEnv = [], inputs, outputGiB, ...work } = draft;
  const { shared, request } = readResources(value, problems);
  const { priority, recovery, maxHourlyPrice, ...ofCluster } = shared;
  const cloud = unknownCloud(request);
  if (cloud) notes.push(`no provider is called ${cloud}; it is the SkyCloud of that name, which a plugin may serve`);
  // SkyPilot lets a secret win over a variable of its name.
  const isSecret = new Set(secretEnv.map((variable) => variable.name));
  const variables = [...env.filter((variable) => !isSecret.has(variable.name)), ...secretEnv];
  return {
    ...present({ name }),
    cluster: {
      ...present({ numNodes, resources: nonEmpty(request) }),
      ...ofCluster,
      ...(maxHourlyPrice === undefined ? {} : { maxHourlyPrice: times(maxHourlyPrice, numNodes ?? 1) }),
    },
    work: { ...work, ...(variables.length > 0 ? { env: variables } : {}) },
    job: present({ priority, recovery }),
    data: present({ inputs, outputGiB }),
  };
}

function nonEmpty(request: Request): Request | undefined {
  return Object.keys(request).length > 0 ? request : undefined;
}

/** The cap of SkyPilot is of one node, ours of all. */
function times(price: string, nodes: number): string {
  return decimal(millionths(price) * BigInt(nodes));
}

type Request = NonNullable<SkyClusterSpec['resources']>;

function unknownCloud(request: Request): string | undefined {
  const places = [request, ...(request.anyOf ?? []), ...(request.ordered ?? [])];
  return places
    .map(({ infra, cloud }) =>
      infra === undefined ? infraOf(cloud, undefined, undefined) : parseInfra(infra, 'infra'),
    )
    .map(({ cloud }) => cloud)
    .find((cloud) => cloud !== undefined && !isProviderWord(cloud));
}
