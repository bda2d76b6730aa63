/** Files beside a SkyPilot file, as far as an object can hold them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { ReadLocal } from './files.ts';

const MAX_BYTES = 700 * 1_024;
/** Keys of a ConfigMap. */
const KEY = /^[-._a-zA-Z0-9]{1,253}$/;

/** Paths are relative to `folder`. */
export function localFiles(folder: string): ReadLocal {
  return (path) => {
    try {
      const full = resolve(folder, path.replace(/^~(?=\/|$)/, homedir()));
      if (!statSync(full).isDirectory()) return textOf(full, path);
      return folderOf(full, path);
    } catch (error) {
      return { no: `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
}

function folderOf(full: string, path: string): ReturnType<ReadLocal> {
  const entries = readdirSync(full, { withFileTypes: true });
  const odd = entries.find((entry) => !entry.isFile() || !KEY.test(entry.name));
  if (odd) return { no: `${path}/${odd.name} does not fit a ConfigMap, which holds plain files of one folder` };
  const folder: Record<string, string> = {};
  let bytes = 0;
  for (const { name } of entries) {
    bytes += statSync(resolve(full, name)).size;
    if (bytes > MAX_BYTES) return { no: `${path} has more than ${MAX_BYTES / 1_024} KiB` };
    const read = textOf(resolve(full, name), `${path}/${name}`);
    if (!('text' in read)) return read;
    folder[name] = read.text;
  }
  return { folder };
}

function textOf(full: string, path: string): { readonly text: string } | { readonly no: string } {
  if (statSync(full).size > MAX_BYTES) return { no: `${path} has more than ${MAX_BYTES / 1_024} KiB` };
  try {
    return { text: new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(readFileSync(full)) };
  } catch {
    return { no: `${path} is not text` };
  }
}
