import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What tells that a process belongs to a machine. */
export interface Marker {
  /** A line of its environment. */
  readonly variable: string;
  /** Or the folder it works in. */
  readonly folder: string;
  /** Or it is one of these now: an id is another process's as soon as ours has ended, so it is asked for each time. */
  readonly roots?: () => readonly number[];
}

/**
 * Every process that carries the marker or descends from one that does, so neither `setsid` nor an emptied environment
 * escapes.
 */
export function findMarked(marker: Marker): number[] {
  const parents = livingProcesses();
  const roots = marker.roots?.() ?? [];
  const isMarked = (pid: number): boolean => roots.includes(pid) || carries(pid, marker);
  const marked = new Set([...parents.keys()].filter((pid) => pid !== process.pid && isMarked(pid)));
  for (let before = -1; before !== marked.size;) {
    before = marked.size;
    for (const [pid, parent] of parents) if (marked.has(parent)) marked.add(pid);
  }
  return [...marked];
}

/** SIGKILL until none is left: a process may have forked while the list was read. */
export async function killMarked(marker: Marker): Promise<void> {
  for (let found = findMarked(marker); found.length > 0; found = findMarked(marker)) {
    signalAll(found, 'SIGKILL');
    await nextTurn();
  }
}

export function signalAll(pids: Iterable<number>, signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The program's short name, or '' when the process has ended. */
export function programOf(pid: number): string {
  return read(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).trimEnd();
}

function carries(pid: number, marker: Marker): boolean {
  const environment = read(() => readFileSync(`/proc/${pid}/environ`, 'latin1')).split('\0');
  if (environment.includes(marker.variable)) return true;
  const folder = read(() => readlinkSync(`/proc/${pid}/cwd`));
  return folder === marker.folder || folder.startsWith(`${marker.folder}/`);
}

/** Parents by process id. Zombies are left out: they have ended, and only their parent can bury them. */
function livingProcesses(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(() => readFileSync(`/proc/${name}/stat`, 'latin1'));
    const [state = 'Z', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat !== '' && state !== 'Z') parents.set(Number(name), Number(parent));
  }
  return parents;
}

/** '' for what has ended in between, or is not ours to look into. */
function read(from: () => string): string {
  try {
    return from();
  } catch {
    return '';
  }
}
