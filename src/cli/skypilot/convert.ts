/** SkyPilot task YAML as SkyClusters and SkyJobs, with what cannot be carried over. */
import { isDeepStrictEqual } from 'node:util';
import { type Document, parseAllDocuments } from 'yaml';
import { GROUP } from '../../api/kinds.ts';
import type { SkyClusterSpec, SkyJobSpec, Stage } from '../../api/types.gen.ts';
import type { ReadLocal } from './files.ts';
import { objectName, stageName } from './names.ts';
import { attempt, type Problem, Refusal } from './rules.ts';
import { JOB_GROUP, readTask, type Task } from './task.ts';

export type { Problem } from './rules.ts';

/** Ready to be applied; without a name where the task has none. */
export interface Made {
  readonly apiVersion: string;
  readonly kind: 'ConfigMap' | 'Secret' | 'SkyCluster' | 'SkyJob';
  readonly metadata: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: SkyClusterSpec | SkyJobSpec;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

export interface Converted {
  /** The SkyCluster or SkyJob is the last; what it refers to stands before it. */
  readonly objects: readonly Made[];
  /** Of these fields nothing is in the objects. */
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** A problem that leaves a true, smaller object. The others are mistakes. */
export function isLoss({ code, field }: Problem): boolean {
  return (code === 'NotSupported' || code === 'PerJob') && !Object.hasOwn(JOB_GROUP, field);
}

export function convert(text: string, local: ReadLocal): Converted {
  const problems: Problem[] = [];
  const documents = valuesOf(text, problems);
  if (problems.length > 0) return { objects: [], problems, notes: [] };
  const header = headerOf(documents, problems);
  const tasks = header ? documents.slice(1) : documents;
  return tasks.length > 1
    ? pipeline(tasks, header?.name, { local, problems, offset: header ? 2 : 1 })
    : single(tasks[0], header?.name, { local, problems });
}

function single(value: unknown, given: string | undefined, { local, problems }: Omit<Reading, 'offset'>): Converted {
  const task = readTask(value, objectName(given ?? nameIn(value) ?? 'task'), local, problems);
  return finished(objectOf({ ...task, ...(given === undefined ? {} : { name: given }) }, problems), [task], problems);
}

/** Of all documents that are not empty. */
function valuesOf(text: string, problems: Problem[]): unknown[] {
  const documents = parseAllDocuments(text, { prettyErrors: false, merge: true });
  const values = [...documents].map((document: Document, at) => {
    const broken = (message: string): undefined =>
      void problems.push({ field: '', code: 'Format', message, document: at + 1 });
    const [error] = document.errors;
    return error ? broken(error.message) : valueOf(document, broken);
  });
  return values.filter((value) => value !== null && value !== undefined);
}

function valueOf(document: Document, broken: (message: string) => undefined): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // An alias that names nothing, or too much.
    return broken(error instanceof Error ? error.message : String(error));
  }
}

interface Header {
  readonly name?: string;
}

/** The first of several documents, where it says nothing of a task. */
function headerOf(documents: readonly unknown[], problems: Problem[]): Header | undefined {
  const [first] = documents;
  if (documents.length < 2 || typeof first !== 'object' || first === null) return undefined;
  if (!Object.keys(first).every((key) => key === 'name' || Object.hasOwn(JOB_GROUP, key))) return undefined;
  const read = readTask(first, '', () => ({ no: '' }), problems);
  return read.name === undefined ? {} : { name: read.name };
}

function nameIn(value: unknown): string | undefined {
  const name: unknown = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

function objectOf({ name, cluster, work, job, data }: Task, problems: Problem[]): Made {
  for (const field of ['inputs', 'outputGiB'] as const)
    if (data[field] !== undefined) problems.push(onlyInPipelines(field === 'inputs' ? 'inputs' : 'outputs'));
  if (work.run !== undefined) return made('SkyJob', name, { ...work, cluster, ...job });
  for (const key of Object.keys(job)) problems.push(onlyOfJobs(key === 'priority' ? 'priority' : 'job_recovery'));
  return made('SkyCluster', name, { ...cluster, ...work });
}

function onlyInPipelines(field: string): Problem {
  return { field, code: 'NotSupported', message: 'sizes of data are only of use between the tasks of a pipeline' };
}

function onlyOfJobs(key: string): Problem {
  const message = 'a task without run becomes a SkyCluster, and this is of a SkyJob; remove it or give run';
  return { field: `resources.${key}`, code: 'PerJob', message };
}

function made(kind: 'SkyCluster' | 'SkyJob', source: string | undefined, spec: SkyClusterSpec | SkyJobSpec): Made {
  const name = source && objectName(source);
  const annotations = source === name ? {} : { annotations: { [`${GROUP}/source-name`]: source ?? '' } };
  return { apiVersion: `${GROUP}/v1alpha1`, kind, metadata: name ? { name, ...annotations } : {}, spec };
}

interface Reading {
  readonly local: ReadLocal;
  readonly problems: Problem[];
  /** Document of the first task. */
  readonly offset: number;
}

/** Each task waits for the one before it. */
function pipeline(
  values: readonly unknown[],
  name: string | undefined,
  { local, problems, offset }: Reading,
): Converted {
  const base = name ?? 'task';
  const names = values.map((value, at) => stageName(nameIn(value) ?? `${base}-${at}`));
  const tasks = values.map((value, at) => {
    const own: Problem[] = [];
    const task = readTask(value, objectName(`${base}-${at}`), local, own);
    problems.push(...own.map((problem) => ({ ...problem, document: at + offset })));
    return task;
  });
  attempt(problems, () => refuseTwice(names));
  const [first, ...others] = tasks.map(({ job }) => job);
  if (others.some((job) => !isDeepStrictEqual(job, first)))
    problems.push({
      field: 'resources',
      code: 'PerJob',
      message: 'priority and job_recovery are per job here; write the same in every task',
    });
  const stages = tasks.map((task, at) => stageOf(task, names[at] ?? '', names[at - 1]));
  return finished(made('SkyJob', name, { tasks: stages, ...first }), tasks, problems);
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice) throw new Refusal('tasks', 'DuplicateStage', `${twice} is the name of two tasks; rename one`);
}

function stageOf({ cluster, work, data }: Task, name: string, before: string | undefined): Stage {
  const { files, workdir, ...rest } = work;
  const machines = { ...cluster, ...(files ? { files } : {}), ...(workdir ? { workdir } : {}) };
  return {
    name,
    ...(before === undefined ? {} : { dependsOn: [before] }),
    ...rest,
    ...(Object.keys(machines).length > 0 ? { cluster: machines } : {}),
    ...data,
  };
}

function finished(object: Made, tasks: readonly Task[], problems: readonly Problem[]): Converted {
  const folders = tasks.flatMap(({ folders }) => [...folders]);
  const secrets = tasks.flatMap((task) => [...task.secrets]);
  return {
    objects: [
      ...folders.map(([name, data]): Made => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })),
      ...secrets.map(([name, stringData]): Made => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name },
        stringData,
      })),
      object,
    ],
    problems,
    notes: tasks.flatMap(({ notes }) => notes),
  };
}
