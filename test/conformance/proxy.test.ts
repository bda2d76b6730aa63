import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CheckReport } from '../../src/clouds/contract.ts';
import { fakedClouds, type Stand, standsOf } from '../../src/clouds/conformance/stand.ts';
import { certificateAuthority } from '../../src/server/certificate.ts';
import { startFake } from '../support/fake-cloud.ts';
import type { Sim } from '../support/sim.ts';

/** A name that only the proxy knows. */
const HOST = 'cloud.test';
const CHECK = join(import.meta.dirname, '../support/check-cloud.ts');
const DAY_MS = 86_400_000;

for (const cloud of fakedClouds()) {
  describe(`${cloud} in the network of a company`, function () {
    this.timeout(60_000);
    const asked: string[] = [];
    let folder: string;
    let stand: Stand;
    let sim: Sim;
    let servers: Server[];
    let proxied: Record<string, string>;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sky-proxy-'));
      stand = (await standsOf(cloud))[0] ?? assert.fail();
      sim = await startFake(stand);
      const authority = certificateAuthority('company', { from: Date.now() - DAY_MS, until: Date.now() + DAY_MS });
      await writeFile(join(folder, 'ca.crt'), authority.certificate);
      const front = await listening(tlsFront(authority.issue({ user: HOST, hosts: [HOST] }), sim.api));
      const proxy = await listening(proxyTo(front, asked));
      servers = [front, proxy];
      proxied = { HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`, NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') };
    });
    after(async () => {
      for (const server of servers) server.close().closeAllConnections();
      await sim.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const check = async (env: Readonly<Record<string, string>>): Promise<CheckReport> => {
      const secret = JSON.stringify(stand.secret(sim.apiKey));
      const args = [CHECK, cloud, `https://${HOST}`, secret, JSON.stringify(stand.config)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH, ...env } });
      return JSON.parse(stdout) as CheckReport;
    };

    it('is reached through the proxy, with the authority of the company', async () => {
      const report = await check(proxied);
      assert.equal(report.ok, true, JSON.stringify(report.items));
      assert.ok(asked.includes(`${HOST}:443`), asked.join());
    });

    it('is not trusted without that authority', async () => {
      const { NODE_EXTRA_CA_CERTS: _, ...untrusted } = proxied;
      assert.equal((await check(untrusted)).ok, false);
    });

    it('is reached past the proxy where NO_PROXY says so', async () => {
      const before = asked.length;
      assert.equal((await check({ ...proxied, NO_PROXY: HOST })).ok, false, 'the name leads nowhere without the proxy');
      assert.equal(asked.length, before);
    });
  });
}

/** A proxy that knows one host: whatever it is asked to connect to, it is `front`. */
function proxyTo(front: Server, asked: string[]): Server {
  return createServer().on('connect', (incoming, socket) => {
    asked.push(incoming.url ?? '');
    const onward = connect(portOf(front), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
}

/** HTTPS before the simulator. */
function tlsFront({ certificate: cert, key }: { certificate: string; key: string }, target: string): Server {
  return createTlsServer({ cert, key }, (incoming, response) => {
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward.on('error', () => response.destroy()));
  });
}

async function listening(server: Server): Promise<Server> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
