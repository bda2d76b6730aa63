import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive } from './process.ts';

export const KUBERNETES_VERSION = 'v1.36.3';
export const ETCD_VERSION = 'v3.6.16';
const OLDEST_KUBECTL_MINOR = 34;
/** A network that is there answers sooner; without one nobody should wait. */
const CONNECT_MS = 4_000;

export type BinaryName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl';
/** Path of each. */
export type Binaries = Readonly<Record<BinaryName, string>>;

const NAMES: readonly BinaryName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'];
const run = promisify(execFile);

/**
 * The binaries of a control plane: from KUBEBUILDER_ASSETS, else the user's cache, else downloaded, else built from the pinned
 * Go modules beside this file (minutes, once per machine).
 */
export async function findBinaries(): Promise<Binaries> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const cache = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'sky-operator',
    'controlplane',
    KUBERNETES_VERSION,
  );
  const found: Partial<Record<BinaryName, string>> = {};
  for (const name of NAMES) {
    found[name] = (await existing(assets && join(assets, name))) ?? (await own(name, cache));
  }
  return found as Binaries;
}

async function own(name: BinaryName, cache: string): Promise<string> {
  const cached = join(cache, name);
  if (name === 'kubectl' && (await isKubectlRecent())) return 'kubectl';
  if (await existing(cached)) return cached;
  await mkdir(cache, { recursive: true });
  return await locked(`${cached}.lock`, async () => (await existing(cached)) ?? (await obtain(name, cached)));
}

/** Puts the binary at `target` by a rename, so that nobody ever runs half of one. */
async function obtain(name: BinaryName, target: string): Promise<string> {
  const folder = await mkdtemp(`${target}.new-`);
  const fresh = join(folder, name);
  try {
    const isDownloaded = await download(name, fresh, folder).catch((error: unknown) => {
      say(`No release binary of ${name} (${String(error)}); building it, which takes minutes`);
      return false;
    });
    if (!isDownloaded) await build(name, fresh);
    await chmod(fresh, 0o755);
    await rename(fresh, target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** False where the projects publish none: servers are released for Linux only. */
async function download(name: BinaryName, target: string, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  if (name !== 'etcd') {
    const url = `https://dl.k8s.io/${KUBERNETES_VERSION}/bin/linux/${arch}/${name}`;
    await writeFile(target, await fetchVerified(url, (await fetchBytes(`${url}.sha256`)).toString().trim()));
    return true;
  }
  const root = `https://github.com/etcd-io/etcd/releases/download/${ETCD_VERSION}`;
  const file = `etcd-${ETCD_VERSION}-linux-${arch}`;
  const sums = (await fetchBytes(`${root}/SHA256SUMS`)).toString();
  const line = sums.split('\n').find((row) => row.endsWith(`${file}.tar.gz`));
  const archive = join(folder, 'etcd.tar.gz');
  await writeFile(archive, await fetchVerified(`${root}/${file}.tar.gz`, line?.split(' ')[0] ?? ''));
  await run('tar', ['-xzf', archive, '-C', folder]);
  await copyFile(join(folder, file, 'etcd'), target);
  return true;
}

async function fetchVerified(url: string, sha256: string): Promise<Buffer> {
  say(`Downloading ${url}`);
  const bytes = await fetchBytes(url);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== sha256) throw new Error(`${url} has SHA-256 ${actual}, not ${sha256}`);
  return bytes;
}

async function fetchBytes(url: string): Promise<Buffer> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(new Error(`no answer from ${new URL(url).host}`)), CONNECT_MS);
  const response = await fetch(url, { signal: giveUp.signal }).finally(() => clearTimeout(timer));
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function build(name: BinaryName, target: string): Promise<void> {
  const isEtcd = name === 'etcd';
  const stamp = isEtcd ? '' : ` -X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`;
  const source = isEtcd ? 'go.etcd.io/etcd/server/v3' : `k8s.io/kubernetes/cmd/${name}`;
  const started = performance.now();
  say(`Building ${name}`);
  const beat = setInterval(() => say(`Building ${name}: ${secondsSince(started)} s`), 15_000);
  try {
    const child = spawn('go', ['build', '-trimpath', '-ldflags', `-s -w${stamp}`, '-o', target, source], {
      cwd: join(import.meta.dirname, isEtcd ? 'etcd' : 'kubernetes'),
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
    if (code !== 0) throw new Error(`go build of ${name} ended with ${String(code)}; is Go installed?`);
    say(`Built ${name} in ${secondsSince(started)} s`);
  } finally {
    clearInterval(beat);
  }
}

/** Holds `path` while working; a lock whose process is gone is taken over. */
async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await tryLock(path))) await delay(500);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
    return false;
  }
}

async function isKubectlRecent(): Promise<boolean> {
  try {
    const { stdout } = await run('kubectl', ['version', '--client', '-o', 'json'], { cwd: tmpdir() });
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { minor: string } };
    return Number.parseInt(clientVersion.minor, 10) >= OLDEST_KUBECTL_MINOR;
  } catch {
    return false;
  }
}

async function existing(path: string | undefined): Promise<string | undefined> {
  if (!path) return undefined;
  return await access(path).then(
    () => path,
    () => undefined,
  );
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 1_000);
}

function say(line: string): void {
  process.stderr.write(`controlplane: ${line}\n`);
}
