import type { SkyClusterSpec } from '../../api/types.gen.ts';
import { contentHash } from '../../provision/keys.ts';

/** Whether anything is brought to the machines or run on them before Ready. */
export function hasSetup(spec: SkyClusterSpec): boolean {
  return spec.setup !== undefined || (spec.files ?? []).length > 0;
}

/** Changes when the script or the list of files changes; then setup runs again. The values of env alone do not matter. */
export function setupHash(spec: SkyClusterSpec): string {
  return contentHash({ setup: spec.setup ?? '', files: spec.files ?? [] });
}
