/** What the objects of a file would rent. */
import type { SkyClusterSpec, SkyJob, SkyJobSpec, Stage } from '../api/types.gen.ts';
import { fileName, fileText } from './file.ts';
import { isTaskFile, locatorOf, type Manifest, pathOfText, readManifests } from './manifest.ts';
import type { Path, Problem } from '../api/schema-check.ts';
import { convert, isLoss } from './skypilot/convert.ts';
import { UsageError } from './usage.ts';

/** Equal machines. */
export interface Machines {
  readonly spec: SkyClusterSpec;
  readonly numNodes: number;
  /** Default an hour. */
  readonly runtimeSeconds?: number;
  /** Where `spec` stands in the document. */
  readonly at: Path;
}

export interface StageMachines extends Machines, Pick<Stage, 'name' | 'dependsOn' | 'inputs' | 'outputGiB'> {}

/** An object with one cluster, or with one for each of its stages. */
export interface Subject {
  readonly title: string;
  readonly wants: Machines | readonly StageMachines[];
  readonly locate: Locate;
}

type Locate = (problem: Problem) => string;
type Note = (line: string) => void;

/** Objects of this operator, or the task of a SkyPilot file. `note` takes what is left out. Throws UsageError. */
export function subjectsOf(path: string, note: Note): Subject[] {
  const text = fileText(path);
  const file = fileName(path);
  if (isTaskFile(text)) return subjectsOfTask(text, file, note);
  const { manifests, others } = readManifests(text, file);
  for (const kind of others) note(`left out: ${kind}`);
  if (manifests.length === 0) throw new UsageError(`${file} has no SkyCluster or SkyJob of sky-operator.dev`);
  return manifests.flatMap((manifest) => subjectOf(manifest, note) ?? []);
}

/** What cannot be carried over and is no mistake changes no machine. */
function subjectsOfTask(text: string, file: string, note: Note): Subject[] {
  const locate = locatorOf(text, file);
  // Nothing is sent anywhere, so what lies beside the file is not read.
  const { objects, problems } = convert(text, () => ({ folder: {} }));
  const lines = problems.map((problem) => ({
    isLoss: isLoss(problem),
    line: locate({ path: pathOfText(problem.field), text: problem.message }, problem.document),
  }));
  const mistakes = lines.filter((problem) => !problem.isLoss);
  if (mistakes.length > 0) throw new UsageError(mistakes.map(({ line }) => line).join('\n'));
  for (const { line } of lines) note(`left out: ${line}`);
  const object = objects.at(-1) as Manifest['object'] | undefined;
  const locateField = ({ path, text: message }: Problem): string => `${file}: ${path.slice(1).join('.')}: ${message}`;
  return object ? [subjectOf({ object, locate: locateField }, note)].flatMap((subject) => subject ?? []) : [];
}

function subjectOf({ object, locate }: Manifest, note: Note): Subject | undefined {
  const title = `${object.kind.toLowerCase()}/${object.metadata?.name ?? 'without a name'}`;
  if (!isJob(object)) {
    const { spec } = object;
    return { title, wants: { spec, numNodes: spec.numNodes ?? 1, at: ['spec'] }, locate };
  }
  const { clusterRef } = object.spec;
  const wants = wantsOf(object.spec);
  if (wants) return { title, wants, locate };
  if (!clusterRef) throw new UsageError(locate({ path: ['spec'], text: 'one of cluster and clusterRef is required' }));
  note(`${title} runs on skycluster/${clusterRef.name} and rents nothing of its own`);
  return undefined;
}

function isJob(object: Manifest['object']): object is SkyJob {
  return object.kind === 'SkyJob';
}

/** Undefined where the job runs on a cluster that is there. */
function wantsOf({ cluster, clusterRef, tasks, numNodes = 1, deadline }: SkyJobSpec): Subject['wants'] | undefined {
  if (clusterRef) return undefined;
  if (tasks) return tasks.map((stage, index) => stageOf(stage, cluster, ['spec', 'tasks', index, 'cluster']));
  if (!cluster) return undefined;
  const runtime = deadline ? { runtimeSeconds: deadline.expectedRuntimeSeconds } : {};
  return { spec: cluster, numNodes: cluster.numNodes ?? numNodes, at: ['spec', 'cluster'], ...runtime };
}

/** A stage without machines of its own has those of the job. */
function stageOf(stage: Stage, ofJob: SkyClusterSpec | undefined, at: Path): StageMachines {
  const spec = stage.cluster ?? ofJob ?? {};
  return { ...stage, spec, numNodes: spec.numNodes ?? 1, at: stage.cluster ? at : ['spec', 'cluster'] };
}
