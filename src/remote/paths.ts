import { posix } from 'node:path';

const MAX_PATH_BYTES = 1024;
const RESERVED_ROOTS =
  /^\/(?:etc|boot|proc|sys|dev|usr|bin|sbin|lib[^/]*|var\/lib\/sky|var\/spool\/cron|run\/systemd|root\/\.ssh)(?:\/|$)/;
/** In any home, and so anywhere: whose home a path is in is known on the machine only. */
const RESERVED_NAMES = /(?:^|\/)\.(?:ssh|sky-operator|config\/systemd)(?:\/|$)/;

const FAULTS: readonly (readonly [fault: string, has: (path: string, normal: string) => boolean])[] = [
  [`is longer than ${MAX_PATH_BYTES} bytes`, (path) => Buffer.byteLength(path) > MAX_PATH_BYTES],
  ['has control characters', (path) => /\p{Cc}/u.test(path)],
  ['has a segment `..`', (path) => path.split('/').includes('..')],
  ['names no file', (_, normal) => normal === '.' || normal === '~' || normal.endsWith('/')],
  ['is in the home of somebody else', (_, normal) => normal.startsWith('~') && !normal.startsWith('~/')],
  ['is reserved', (_, normal) => RESERVED_ROOTS.test(normal) || RESERVED_NAMES.test(normal)],
];

/** Why a file may not be put at `path` on a machine; undefined: it may. Absolute, `~/…`, or relative to `~/sky_workdir`. */
export function pathFault(path: string): string | undefined {
  const normal = posix.normalize(path);
  return FAULTS.find(([, has]) => has(path, normal))?.[0];
}
