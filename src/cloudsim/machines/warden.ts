import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { killMarked } from './marker.ts';

/**
 * A small process beside the simulator that outlives it, even its SIGKILL: when its standard input ends, it kills every
 * process of the machines and removes their folder and network.
 * Arguments: the marking variable, the folder, and the names of network interfaces.
 */
const [variable, folder, ...interfaces] = process.argv.slice(2);
if (!variable || !folder) throw new Error('usage: warden.ts VARIABLE=VALUE FOLDER [INTERFACE...]');

process.stdin.resume();
process.stdin.on('end', () => void sweep(variable, folder));

async function sweep(marked: string, path: string): Promise<void> {
  await killMarked({ variable: marked, folder: path });
  for (const name of interfaces) spawnSync('ip', ['link', 'del', name], { stdio: 'ignore' });
  rmSync(path, { recursive: true, force: true });
}
