import type { SkyJobSpec } from '../../api/types.gen.ts';
import { fileProblem, problemOf, textProblem } from '../skycluster/validate.ts';

/** Fields of the API whose behaviour does not exist yet and that are not harmless to ignore. */
const NOT_YET: readonly (keyof SkyJobSpec)[] = [
  'tasks',
  'workdir',
  'accelerators',
  'deadline',
  'checkpoint',
  'completions',
  'parallelism',
];

/** The first problem that the schema cannot see, as `spec.<path>: <what is wrong>; <remedy>`. */
export function jobProblem(spec: SkyJobSpec): string | undefined {
  return (
    unsupported(spec) ??
    fileProblem(spec.files ?? []) ??
    clusterProblem(spec) ??
    textProblem([spec.setup, spec.run], spec.files ?? [], spec.env ?? [])
  );
}

function unsupported(spec: SkyJobSpec): string | undefined {
  const field = NOT_YET.find((name) => spec[name] !== undefined && !isDefault(name, spec));
  if (field) return `spec.${field}: is not supported yet; remove it`;
  if (spec.recovery?.strategy === 'Failover')
    return 'spec.recovery.strategy: Failover is not supported yet; use EagerNextRegion or None';
  if (spec.run === undefined) return 'spec.run: is missing; give the script that is the job';
  return undefined;
}

function isDefault(name: keyof SkyJobSpec, spec: SkyJobSpec): boolean {
  return (name === 'completions' || name === 'parallelism') && spec[name] === 1;
}

function clusterProblem(spec: SkyJobSpec): string | undefined {
  return spec.cluster && problemOf(spec.cluster)?.replace(/^spec\./, 'spec.cluster.');
}
