import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_CATALOG_BYTES } from '../../../src/catalog/bytes.ts';
import { download, type DownloadOptions } from '../../../src/catalog/download.ts';
import { cloudAgent } from '../../../src/clouds/kit/agent.ts';
import { checkedEndpoint } from '../../../src/clouds/kit/endpoint.ts';
import { systemClock } from '../../../src/clock.ts';

const TEXT = 'InstanceType,Price\na,1\n';
const HASH = createHash('sha256').update(TEXT).digest('hex');

type Answer = (response: ServerResponse) => unknown;

describe('downloading a catalog', () => {
  let answer: Answer;
  let requests = 0;
  let server: Server;
  let port: number;
  before(async () => {
    server = createServer((_, response) => {
      requests += 1;
      answer(response);
    });
    await new Promise<void>((ready) => void server.listen(0, '127.0.0.1', ready));
    port = (server.address() as AddressInfo).port;
  });
  beforeEach(() => {
    requests = 0;
  });
  after(() => {
    server.closeAllConnections();
    return new Promise((closed) => void server.close(closed));
  });

  const allowing = (...hosts: readonly string[]): DownloadOptions => ({
    policy: { check: (url) => checkedEndpoint(url, hosts), connections: () => cloudAgent(hosts) },
    clock: systemClock,
    signal: new AbortController().signal,
    deadlineMs: 5_000,
  });
  const get = (fragment = '', options: Partial<DownloadOptions> = {}) =>
    download(`http://127.0.0.1:${port}/vms.csv${fragment}`, { ...allowing('127.0.0.1'), ...options });

  it('gives the bytes and their tag, and nothing where the tag is still that', async () => {
    answer = (response) => response.setHeader('etag', '"1"').end(TEXT);
    const first = await get();
    assert.ok(first.kind === 'Changed');
    assert.deepEqual([Buffer.from(first.bytes).toString(), first.etag], [TEXT, '"1"']);
    answer = (response) => response.writeHead(response.req.headers['if-none-match'] === '"1"' ? 304 : 500).end();
    assert.deepEqual(await get('', { etag: '"1"' }), { kind: 'Same' });
  });

  it('takes the bytes that the address names by their hash, and refuses all others', async () => {
    answer = (response) => response.end(TEXT);
    assert.equal((await get(`#sha256=${HASH.toUpperCase()}`)).kind, 'Changed');
    answer = (response) => response.end(`${TEXT} `);
    await assert.rejects(get(`#sha256=${HASH}`), {
      name: 'CatalogRefused',
      message: /its SHA-256 is [0-9a-f]{64}, not/,
    });
  });

  const failures: readonly (readonly [string, Answer, RegExp])[] = [
    ['is not there', (response) => response.writeHead(404).end('x'), /: answers with HTTP 404$/],
    [
      'is elsewhere',
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
      /: answers with a redirect, which is not followed/,
    ],
    [
      'ends early',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half');
        setImmediate(() => response.destroy());
      },
      /: (other side closed|terminated|aborted)/,
    ],
    ['is said to be unchanged though none is known', (response) => response.writeHead(304).end(), /HTTP 304$/],
  ];
  for (const [what, how, text] of failures) {
    it(`fails in words where it ${what}`, async () => {
      answer = how;
      await assert.rejects(get(), (error: Error) => {
        assert.match(error.message, text);
        assert.match(error.message, /^127\.0\.0\.1:\d+: /);
        return true;
      });
      assert.equal(requests, 1);
    });
  }

  it('ends one that is slow at the deadline, before its head or in its body', async () => {
    for (const how of [() => undefined, (response: ServerResponse) => response.writeHead(200).write('a')]) {
      answer = how;
      await assert.rejects(get('', { deadlineMs: 100 }), /: no whole answer within 0\.1 s$/);
    }
  });

  it('ends with the pass that asks for it', async () => {
    const pass = new AbortController();
    answer = () => pass.abort(new Error('the operator stops'));
    await assert.rejects(get('', { signal: pass.signal }), /: the operator stops$/);
  });

  it('stops reading one that is too large', async () => {
    const chunk = Buffer.alloc(1_048_576);
    let sent = 0;
    answer = (response) => {
      const more = (): void => {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    };
    await assert.rejects(get(), /: the catalog is above 64 MiB$/);
    assert.ok(sent < 2 * MAX_CATALOG_BYTES, `${sent}`);
  });

  for (const [what, url, text] of [
    ['plain http', 'http://prices.example/vms.csv', /must be reached by https/],
    ['a private address', 'https://192.168.0.1/vms.csv', /is not a public address/],
    ['what is no address', 'prices', /is not a URL/],
  ] as const) {
    it(`refuses ${what} before anything is sent`, async () => {
      await assert.rejects(download(url, allowing()), text);
    });
  }

  it('refuses a name of a private address', async () => {
    await assert.rejects(
      download(`https://localhost:${port}/vms.csv`, allowing()),
      /localhost.* is not a public address/,
    );
    assert.equal(requests, 0);
  });
});
