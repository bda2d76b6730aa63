/** Files that are named on the command line. */
import { readFileSync } from 'node:fs';
import { UsageError } from './usage.ts';

/** `-` is standard input. Throws UsageError. */
export function fileText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** For messages. */
export function fileName(path: string): string {
  return path === '-' ? 'standard input' : path;
}
