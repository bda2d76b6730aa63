import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/**
 * The shell holds a pipe from us: when we close it, or die however suddenly, it kills the program. Works where Linux's
 * parent-death signal does not exist.
 */
const TIED = `
exec 3<&0
"$@" </dev/null 3<&- & child=$!
trap 'kill -TERM $child; wait $child; exit $?' TERM
{ cat <&3 >/dev/null; kill -KILL $child; } 2>/dev/null &
exec 3<&-
wait $child`;

export interface TiedProcess {
  /** Null while it runs. */
  readonly exitCode: number | null;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
  /** Asks it to end, and resolves with its exit code. */
  terminate(): Promise<number | null>;
  /** The last lines it said. */
  tail(): Promise<string>;
}

/** Starts a program that cannot outlive this process. Its output is appended to `logFile`. */
export function startTied(command: string, args: readonly string[], logFile: string): TiedProcess {
  const log = openSync(logFile, 'a');
  const child = spawn('sh', ['-c', TIED, 'sh', command, ...args], {
    stdio: ['pipe', log, log],
    // In a group of its own, or a Ctrl-C would end the shell before the program.
    detached: true,
  });
  closeSync(log);
  const exited = once(child, 'exit').then(() => child.stdin?.destroy());
  return {
    get exitCode() {
      return child.exitCode;
    },
    kill: async () => {
      child.stdin?.destroy();
      await exited;
    },
    terminate: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
    tail: async () => (await readFile(logFile, 'utf8')).split('\n').slice(-20).join('\n'),
  };
}

/** `count` TCP ports of the loopback that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
