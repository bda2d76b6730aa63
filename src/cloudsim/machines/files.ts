import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { MachineSpec } from './contract.ts';

/** Who owns the files that the machine's user may change; absent: whoever runs the simulator. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Where a machine's folders are on this host, and where the machine itself sees them. */
export interface Mount {
  readonly host: string;
  readonly inside: string;
}

/**
 * Writes what sshd and the fake hardware need into `run`: host key, authorised keys, `bin/nvidia-smi`, `machine.json`,
 * `runcmd.sh`. A host key that exists is kept over reboots.
 */
export function writeRunFiles(run: string, spec: MachineSpec): void {
  mkdirSync(join(run, 'bin'), { recursive: true });
  writeHostKey(join(run, 'host_key'), spec);
  const keys = spec.fault === 'wrong-key' ? [] : spec.config.authorizedKeys;
  writeFileSync(join(run, 'authorized_keys'), keys.map((key) => `${key}\n`).join(''));
  const { vCPUs, memoryGiB, accelerator } = spec;
  writeFileSync(join(run, 'machine.json'), JSON.stringify({ vCPUs, memoryGiB, accelerator }));
  writeNvidiaSmi(join(run, 'bin', 'nvidia-smi'), spec);
  const commands = spec.config.commands.map((words) => words.map(quoted).join(' '));
  writeFileSync(join(run, 'runcmd.sh'), commands.map((line) => `${line}\n`).join(''));
}

/** Writes cloud-init's `write_files`. Only below `mounts`, so that no user data reaches a file of this host. */
export function writeUserFiles(mounts: readonly Mount[], spec: MachineSpec, ids: Ids | undefined): void {
  for (const file of spec.config.files) {
    const path = posix.normalize(file.path);
    const mount = mounts.find(({ inside }) => path.startsWith(`${inside}/`));
    if (!mount) continue;
    const target = join(mount.host, path.slice(mount.inside.length));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.content, { mode: file.mode });
    if (ids) chownSync(target, ids.uid, ids.gid);
  }
}

/** Makes a folder that belongs to the machine's user. */
export function ownedFolder(path: string, ids: Ids | undefined): void {
  mkdirSync(path, { recursive: true });
  if (ids) chownSync(path, ids.uid, ids.gid);
}

function writeHostKey(path: string, spec: MachineSpec): void {
  const injected = spec.fault === 'foreign-host-key' ? undefined : spec.config.hostKey;
  if (injected) {
    rmSync(path, { force: true });
    writeFileSync(path, `${injected.privateKey.trimEnd()}\n`, { mode: 0o600 });
  } else if (!existsSync(path)) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path], { stdio: 'ignore' });
  }
}

function writeNvidiaSmi(path: string, spec: MachineSpec): void {
  rmSync(path, { force: true });
  const script = spec.fault === 'bad-gpu' ? BROKEN_SMI : smiOf(spec);
  if (spec.accelerator.count < 1 || script === undefined) return;
  writeFileSync(path, script, { mode: 0o755 });
  chmodSync(path, 0o755);
}

/** A device that fell off the bus: the driver is there, and knows of nothing it could use. */
const BROKEN_SMI = `#!/bin/sh
echo 'Unable to determine the device handle for GPU0000:00:1E.0: Unknown Error' >&2
exit 15
`;

function smiOf(spec: MachineSpec): string | undefined {
  const { name } = spec.accelerator;
  const count = spec.accelerator.count - (spec.fault === 'missing-gpu' ? 1 : 0);
  if (count < 1) return undefined;
  const gpus = Array.from({ length: count }, (_, index) => index);
  const list = gpus.map((gpu) => `GPU ${gpu}: NVIDIA ${name} (UUID: GPU-${spec.id}-${gpu})`).join('\n');
  const names = gpus.map(() => `NVIDIA ${name}`).join('\n');
  return `#!/bin/sh\ncase "\${1:--L}" in\n-L) echo '${list}' ;;\n*) echo '${names}' ;;\nesac\n`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
