import type { Call } from '../../../cloudsim/wire.ts';

/** A full link, as Google writes every reference. */
export function linkTo({ credential }: Call, path: string): string {
  return `https://www.googleapis.com/compute/v1/projects/${credential.account}${path}`;
}

/** Parts of the path below the project: `zones/us-central1-a/instances/x` is [zones, us-central1-a, instances, x]. */
export function partsOf(path: string): string[] {
  return path
    .replace(/^\/compute\/v1\/projects\/[^/]+\/?/, '')
    .split('/')
    .map(decodeURIComponent);
}
