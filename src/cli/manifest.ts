/** SkyClusters and SkyJobs of a YAML file, each mistake with its line. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parse, parseAllDocuments } from 'yaml';
import { GROUP } from '../api/kinds.ts';
import type { SkyCluster, SkyJob } from '../api/types.gen.ts';
import { type Path, type Problem, problemsOf, type Schema } from '../api/schema-check.ts';
import { UsageError } from './usage.ts';

export interface Manifest {
  readonly object: SkyCluster | SkyJob;
  /** `FILE:LINE: path.of.field: text`. */
  readonly locate: (problem: Problem) => string;
}

export interface ManifestFile {
  readonly manifests: readonly Manifest[];
  /** Kinds that are of no use here. */
  readonly others: readonly string[];
}

/** `file` is its name for messages. Throws UsageError with every mistake on a line of its own. */
export function readManifests(text: string, file: string): ManifestFile {
  return readDocuments(parsed(text, file));
}

/** Whether no document says that it is of Kubernetes: then it can only be a task of SkyPilot. */
export function isTaskFile(text: string): boolean {
  const maps = [...parseAllDocuments(text)].map(({ contents }) => contents).filter((contents) => contents !== null);
  const isPlain = (map: unknown): boolean => isMap(map) && !map.has('apiVersion') && !map.has('kind');
  return maps.length > 0 && maps.every(isPlain);
}

/** `FILE:LINE: field: text` of what a SkyPilot file says in one of its documents, counted from 1; default the last. */
export function locatorOf(text: string, file: string): (problem: Problem, document?: number) => string {
  const { documents, at } = parsed(text, file);
  return (problem, document = documents.length) => locateIn(documents[document - 1], at, problem);
}

interface ParsedFile {
  readonly documents: readonly Document[];
  readonly at: At;
}

function parsed(text: string, file: string): ParsedFile {
  const lines = new LineCounter();
  const documents: Document[] = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true })];
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const broken = documents.flatMap(({ errors }) => errors.map(({ pos, message }) => `${at(pos[0])}: ${message}`));
  if (broken.length > 0) throw new UsageError(broken.join('\n'));
  return { documents, at };
}

function locateIn(document: Document | undefined, at: At, { path, text }: Problem): string {
  return [at(document ? offsetOf(document, path) : 0), pathText(path), text].filter(Boolean).join(': ');
}

/** Aliases are resolved only now; one that names nothing, or too much, is a mistake like any other. */
function valueOf(document: Document, locate: Manifest['locate']): Partial<SkyCluster | SkyJob> | null {
  try {
    return document.toJS() as Partial<SkyCluster | SkyJob> | null;
  } catch (error) {
    throw new UsageError(locate({ path: [], text: error instanceof Error ? error.message : String(error) }));
  }
}

type At = (offset: number) => string;

function readDocuments({ documents, at }: ParsedFile): ManifestFile {
  const manifests: Manifest[] = [];
  const others: string[] = [];
  const problems: string[] = [];
  for (const document of documents) {
    const locate = (problem: Problem): string => locateIn(document, at, problem);
    const object = valueOf(document, locate);
    if (object === null) continue;
    const schema = isOurs(object) ? schemaOf(object.kind ?? '') : undefined;
    if (schema === undefined) {
      others.push(object.kind ?? 'a document without kind');
      continue;
    }
    problems.push(...problemsOf(object, schema, []).map(locate));
    manifests.push({ object: object as SkyCluster | SkyJob, locate });
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return { manifests, others };
}

function isOurs({ apiVersion }: Partial<SkyCluster | SkyJob>): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`);
}

interface Crd {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

const CRDS: Readonly<Record<string, string>> = { SkyCluster: 'skyclusters', SkyJob: 'skyjobs' };

/** Of a kind that can be planned. */
function schemaOf(kind: string): Schema | undefined {
  const file = Object.hasOwn(CRDS, kind) ? CRDS[kind] : undefined;
  if (file === undefined) return undefined;
  const crd = parse(readFileSync(new URL(`../../crds/${file}.yaml`, import.meta.url), 'utf8')) as Crd;
  return crd.spec.versions[0]?.schema.openAPIV3Schema;
}

/** Where the field is named, or the nearest thing around it that the document has. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

/** A path as text, `spec.tasks[1].name`, in parts. */
export function pathOfText(text: string): Path {
  const parts = text.split(/[.[\]]+/).filter(Boolean);
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function pathText(path: Path): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at > 0 ? '.' : ''}${part}`)).join('');
}
