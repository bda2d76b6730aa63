import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import { connect } from '../../../src/kube/transport.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const endings: (() => Promise<void>)[] = [];

/** A server that gives these answers one after the other, the last one for ever. */
async function served(answers: readonly Answer[], token = 'first') {
  const seen: { path: string; authorization: string | undefined; agent: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { authorization, 'user-agent': agent } = request.headers;
    seen.push({ path: request.url ?? '', authorization, agent });
    answers[Math.min(seen.length, answers.length) - 1]?.(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'sky-kube-'));
  const kubeconfig = join(folder, 'config');
  const login = async (value: string) => {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`;
    await writeFile(kubeconfig, JSON.stringify(configOf(address, value)));
  };
  await login(token);
  const metrics = kubeMetrics();
  const transport = await connect({ kubeconfig, userAgent: 'tests/1', clock: systemClock, metrics });
  endings.push(async () => {
    await transport.close();
    server.closeAllConnections();
    await once(server.close(), 'close');
    await rm(folder, { recursive: true });
  });
  return { transport, metrics, seen, login };
}

function configOf(server: string, token: string) {
  return {
    clusters: [{ name: 'x', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'x', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    'current-context': 'x',
  };
}

const ok: Answer = (_request, response) => response.end('{"kind":"Fine"}');
const refuse =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_request, response) =>
    response.writeHead(code, headers).end(body);
const get = { method: 'GET', path: '/api', query: { limit: 5, none: undefined } } as const;

describe('the transport', () => {
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  it('sends the token, the user agent, the prefix of the server and the query', async () => {
    const { transport, seen } = await served([ok]);
    assert.deepEqual(await transport.request(get), { kind: 'Fine' });
    assert.deepEqual(seen, [{ path: '/prefix/api?limit=5', authorization: 'Bearer first', agent: 'tests/1' }]);
  });

  it('comes back when the server asks for it with Retry-After, and only then', async () => {
    const patient = await served([refuse(429, { 'retry-after': '0' }), refuse(503, { 'retry-after': '0' }), ok]);
    assert.deepEqual(await patient.transport.request(get), { kind: 'Fine' });
    assert.equal(patient.seen.length, 3);

    const { transport } = await served([refuse(503)]);
    await assert.rejects(transport.request(get), (error) => error instanceof KubeError && error.code === 503);
  });

  it('reads its credentials again once when they are refused', async () => {
    const { transport, seen, login } = await served([refuse(401), ok]);
    await login('second');
    assert.deepEqual(await transport.request(get), { kind: 'Fine' });
    assert.deepEqual(
      seen.map(({ authorization }) => authorization),
      ['Bearer first', 'Bearer second'],
    );

    const refused = await served([refuse(401)]);
    await assert.rejects(refused.transport.request(get), (error) => error instanceof KubeError && error.code === 401);
    assert.equal(refused.seen.length, 2);
  });

  it('gives up on a server that never answers', async () => {
    const { transport } = await served([() => {}]);
    const impatient = transport.apart(50);
    await assert.rejects(impatient.request(get), (error) => error instanceof KubeError && error.reason === 'NoAnswer');
    await impatient.close();
  });

  it('quotes the words of a Status and nothing else', async () => {
    const status = { kind: 'Status', reason: 'Forbidden', message: 'no right', details: { causes: [{ field: 'a' }] } };
    const { transport } = await served([
      refuse(403, { 'x-secret': 'canary' }, JSON.stringify(status)),
      refuse(502, {}, '<html>canary</html>'),
    ]);
    const errors = [await failureOf(transport.request(get)), await failureOf(transport.request(get))];
    assert.deepEqual(
      errors.map(({ code, reason, message }) => [code, reason, message]),
      [
        [403, 'Forbidden', 'no right'],
        [502, 'Http502', 'The API server answered 502'],
      ],
    );
    assert.ok(!JSON.stringify(errors).includes('canary'));
  });

  it('counts calls by code', async () => {
    const { transport, metrics } = await served([ok, refuse(404)]);
    await transport.request(get);
    await failureOf(transport.request(get));
    const counted = (await metrics.requests.get()).values.map(({ labels, value }) => [labels['code'], value]);
    assert.deepEqual(counted, [
      ['200', 1],
      ['404', 1],
    ]);
  });
});

async function failureOf(call: Promise<unknown>): Promise<KubeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
  throw new Error('The call succeeded');
}
