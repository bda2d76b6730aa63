import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { Clock } from '../../clock.ts';
import { EnvironmentError } from './contract.ts';
import type { Address } from './contract.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'];
const SFTP_SERVER = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
];
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const POLL_MS = 50;
const CONNECT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 20_000;

/** Path of the SSH server. Throws EnvironmentError that names the package. */
export function findSshd(asked?: string): string {
  const found = (asked === undefined ? SSHD : [asked]).find((path) => existsSync(path));
  if (!found) throw new EnvironmentError('no sshd found: install the package openssh-server, or pass --sshd=PATH');
  return found;
}

/** sshd_config of a machine: its own ed25519 key, keys only, no PAM. `lines` add what the isolation needs. */
export function sshdConfig(run: string, lines: readonly string[]): string {
  const sftp = SFTP_SERVER.find((path) => existsSync(path)) ?? 'internal-sftp';
  return [
    `HostKey ${run}/host_key`,
    `AuthorizedKeysFile ${run}/authorized_keys`,
    `Subsystem sftp ${sftp}`,
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org',
    'PrintMotd no',
    'PrintLastLog no',
    'PidFile none',
    'UseDNS no',
    'MaxSessions 64',
    'MaxStartups 100',
    'LoginGraceTime 20',
    ...lines,
    '',
  ].join('\n');
}

/** Resolves when something listens at the address. Throws after 20 s, or with the signal's reason. */
export async function untilAnswering(address: Address, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + ANSWER_TIMEOUT_MS;
  while (!(await answers(address))) {
    signal.throwIfAborted();
    if (clock.monotonic() > deadline) throw new Error(`sshd does not answer at ${address.ip}:${address.port}`);
    await clock.sleep(POLL_MS);
  }
}

function answers(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address.port, address.ip);
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('silent')));
    const end = (result: boolean) => (): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}
