import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries, type Binaries } from './binaries.ts';
import { certificateAuthority, type Authority, type KeyPair } from './certificates.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, AUDIT_POLICY, type Layout } from './flags.ts';
import { freePorts, isAlive, startTied, type TiedProcess } from './process.ts';

const READY_MS = 60_000;
const FOLDER = 'sky-controlplane-';

export interface AuditEntry {
  readonly verb: string;
  /** Plural; undefined for paths that are no resource. */
  readonly resource: string | undefined;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly user: string;
  readonly userAgent: string;
  readonly code: number | undefined;
  readonly stage: string;
  /** Milliseconds from the request to this stage. */
  readonly tookMs: number;
  /** Unix milliseconds of the request. */
  readonly at: number;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ControlPlane {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Such as https://127.0.0.1:6443. */
  readonly url: string;
  readonly port: number;
  /** PEM of the authority that signed the API server's certificate. */
  readonly certificateAuthority: string;
  /** Path of a kubeconfig with a client certificate for this user. `server` is for tests that put a relay in between. */
  kubeconfigFor(who: { user: string; groups?: readonly string[]; server?: string }): Promise<string>;
  /** Never rejects for a failing command. */
  kubectl(args: readonly string[], options?: { input?: string }): Promise<CommandResult>;
  /** `kubectl apply --server-side`; throws with its words when it fails. */
  applyFile(path: string): Promise<void>;
  /** Every call that reached the API server, oldest first, as far as written to the audit log. */
  audit(): Promise<AuditEntry[]>;
  killApiServer(): Promise<void>;
  /** Starts it again, killing the one that runs; resolves when it is ready. */
  restartApiServer(): Promise<void>;
  /** Forgets all versions before now, so that old watches and continue tokens answer 410. Restarts the API server: its cache would still serve them. */
  compactEtcd(): Promise<void>;
  stop(): Promise<void>;
}

/** etcd, kube-apiserver and kube-controller-manager on loopback ports, with data in a folder that `stop` removes. */
export async function startControlPlane(): Promise<ControlPlane> {
  const binaries = await findBinaries();
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
  const [apiPort = 0, etcdPort = 0, peerPort = 0] = await freePorts(3);
  const layout: Layout = { folder, apiPort, etcdPort, peerPort };
  const authority = certificateAuthority('sky-controlplane');
  const admin = authority.issue({ user: 'admin', groups: ['system:masters'] });
  await writeKeys(layout, authority);
  const plane = new RunningPlane({ binaries, layout, authority, admin });
  try {
    await plane.start();
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return plane;
}

/** A starter that was killed could not remove its data. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER) ? Number.parseInt(name.slice(FOLDER.length), 10) : 0;
    if (pid > 0 && !isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

interface Parts {
  readonly binaries: Binaries;
  readonly layout: Layout;
  readonly authority: Authority;
  readonly admin: KeyPair;
}

class RunningPlane implements ControlPlane {
  readonly #parts: Parts;
  #etcd: TiedProcess | undefined;
  #apiServer: TiedProcess | undefined;
  #controllerManager: TiedProcess | undefined;
  #kubeconfigs = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get port() {
    return this.#parts.layout.apiPort;
  }

  get url() {
    return `https://127.0.0.1:${this.port}`;
  }

  get certificateAuthority() {
    return this.#parts.authority.certificate;
  }

  get kubeconfig() {
    return this.#file('admin.kubeconfig');
  }

  async start() {
    const { binaries, layout, authority, admin } = this.#parts;
    await writeFile(this.kubeconfig, kubeconfigText(this.url, authority, admin), { mode: 0o600 });
    this.#etcd = startTied(binaries.etcd, etcdFlags(layout), this.#file('etcd.log'));
    await this.restartApiServer();
    const flags = controllerManagerFlags(layout);
    const log = this.#file('kube-controller-manager.log');
    this.#controllerManager = startTied(binaries['kube-controller-manager'], flags, log);
  }

  async kubeconfigFor(who: { user: string; groups?: readonly string[]; server?: string }) {
    const pair = this.#parts.authority.issue(who);
    const path = this.#file(`user-${this.#kubeconfigs++}.kubeconfig`);
    await writeFile(path, kubeconfigText(who.server ?? this.url, this.#parts.authority, pair), { mode: 0o600 });
    return path;
  }

  async kubectl(args: readonly string[], { input }: { input?: string } = {}) {
    return await runCommand(this.#parts.binaries.kubectl, [`--kubeconfig=${this.kubeconfig}`, ...args], input);
  }

  async applyFile(path: string) {
    const { code, stderr } = await this.kubectl(['apply', '--server-side', '-f', path]);
    if (code !== 0) throw new Error(`kubectl apply -f ${path}: ${stderr}`);
  }

  async audit() {
    const text = await readFile(this.#file('audit.log'), 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole.split('\n').filter(Boolean).map(auditEntryOf);
  }

  async killApiServer() {
    await this.#apiServer?.kill();
  }

  async restartApiServer() {
    await this.killApiServer();
    const { binaries, layout } = this.#parts;
    const log = this.#file('kube-apiserver.log');
    this.#apiServer = startTied(binaries['kube-apiserver'], apiServerFlags(layout), log);
    await this.#ready(this.#apiServer);
  }

  async compactEtcd() {
    await this.killApiServer();
    const root = `http://127.0.0.1:${this.#parts.layout.etcdPort}/v3/kv`;
    const { header } = await postJson<{ header: { revision: string } }>(`${root}/range`, { key: 'AA==' });
    await postJson(`${root}/compaction`, { revision: header.revision, physical: true });
    await this.restartApiServer();
  }

  async stop() {
    await Promise.all([this.#controllerManager, this.#apiServer, this.#etcd].map(async (one) => await one?.kill()));
    await rm(this.#parts.layout.folder, { recursive: true, force: true });
  }

  async #ready(apiServer: TiedProcess) {
    const giveUpAt = performance.now() + READY_MS;
    while (!(await this.#isReady())) {
      if (apiServer.exitCode !== null || performance.now() > giveUpAt)
        throw new Error(`kube-apiserver does not get ready:\n${await apiServer.tail()}`);
      await delay(100);
    }
  }

  #isReady(): Promise<boolean> {
    const { admin, authority } = this.#parts;
    const tls = { ca: authority.certificate, cert: admin.certificate, key: admin.key, agent: false as const };
    return new Promise((resolve) => {
      request(`${this.url}/readyz`, tls, (response) => resolve(response.resume().statusCode === 200))
        .on('error', () => resolve(false))
        .end();
    });
  }

  #file(name: string) {
    return join(this.#parts.layout.folder, name);
  }
}

async function writeKeys({ folder }: Layout, authority: Authority): Promise<void> {
  const frontProxy = certificateAuthority('sky-controlplane-front-proxy');
  const server = authority.issue({ user: 'kube-apiserver', hosts: SERVER_NAMES });
  const proxy = frontProxy.issue({ user: 'front-proxy-client' });
  const accounts = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files: Record<string, string> = {
    'ca.crt': authority.certificate,
    'server.crt': server.certificate,
    'server.key': server.key,
    'front-proxy-ca.crt': frontProxy.certificate,
    'front-proxy.crt': proxy.certificate,
    'front-proxy.key': proxy.key,
    'sa.key': String(accounts.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    'sa.pub': String(accounts.publicKey.export({ type: 'spki', format: 'pem' })),
    'audit-policy.json': JSON.stringify(AUDIT_POLICY),
    'audit.log': '',
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o600 })));
}

const SERVER_NAMES = ['127.0.0.1', '10.96.0.1', 'localhost', 'kubernetes', 'kubernetes.default.svc'];

function kubeconfigText(server: string, authority: Authority, { certificate, key }: KeyPair): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(authority.certificate) } }],
    users: [{ name: 'test', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } }],
    'current-context': 'test',
  });
}

function runCommand(command: string, args: readonly string[], input = ''): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.on('error', () => {}).end(input);
  });
}

async function postJson<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

interface WireAudit {
  verb: string;
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string };
  user: { username: string };
  userAgent?: string;
  responseStatus?: { code?: number };
  stage: string;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}

/** Unix milliseconds with the microseconds that the API server writes. */
function millisecondsOf(timestamp: string): number {
  const [seconds = '', fraction = '0Z'] = timestamp.split('.');
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction.slice(0, -1)}`) * 1_000;
}

function auditEntryOf(line: string): AuditEntry {
  const { verb, objectRef, user, userAgent, responseStatus, stage, ...times } = JSON.parse(line) as WireAudit;
  const at = millisecondsOf(times.requestReceivedTimestamp);
  return {
    at,
    tookMs: millisecondsOf(times.stageTimestamp) - at,
    verb,
    resource: objectRef?.resource,
    subresource: objectRef?.subresource,
    namespace: objectRef?.namespace,
    name: objectRef?.name,
    user: user.username,
    userAgent: userAgent ?? '',
    code: responseStatus?.code,
    stage,
  };
}
