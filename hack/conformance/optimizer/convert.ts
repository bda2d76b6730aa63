/** Kinds `convert-field` and `convert`. */
import { stringify } from 'yaml';
import type { SkyJobSpec } from '../../../src/api/types.gen.ts';
import { convert, type Made } from '../../../src/cli/skypilot/convert.ts';
import { type Case, type Fields, text } from './case.ts';

/** Where a field of a task with `run` ends up. */
const TARGETS: Readonly<Record<string, (spec: SkyJobSpec) => unknown>> = {
  disk_size: ({ cluster }) => cluster?.resources?.diskSize,
  autostop: ({ cluster }) => cluster?.autostop?.idleMinutes,
  num_nodes: ({ cluster }) => cluster?.numNodes,
  priority: ({ priority }) => priority,
  network_tier: ({ cluster }) => cluster?.resources?.networkTier,
  job_recovery: ({ recovery }) => recovery?.strategy,
};

export function convertField({ field = '', request }: Case): Fields {
  const target = TARGETS[field];
  if (!target) throw new Error(`no field ${field}`);
  const set = { [field]: request };
  const task = field === 'num_nodes' ? set : { resources: set };
  return seen(stringify({ ...task, run: 'x' }), ({ spec }) => ({
    value: target(spec ?? {}) ?? null,
  }));
}

export function convertTask({ request }: Case): Fields {
  return seen(text(request), ({ kind, spec, metadata }) => ({
    kind,
    spec,
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  }));
}

/** Of the last object, or the first problem. */
function seen(yaml: string, show: (object: Made) => Fields): Fields {
  const { objects, problems } = convert(yaml, () => ({ no: 'no files here' }));
  const [problem] = problems;
  if (problem) {
    const { field, code, suggest } = problem;
    return { error: { field, code, ...(suggest === undefined ? {} : { suggest }) } };
  }
  const object = objects.at(-1);
  return object ? show(object) : {};
}
