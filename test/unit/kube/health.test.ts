import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { healthHandler } from '../../../src/kube/health.ts';
import { kubeMetrics, metricsHandler } from '../../../src/kube/metrics.ts';

async function answerOf(handler: RequestListener, path: string): Promise<[number, string]> {
  const server = createServer(handler);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return [response.status, await response.text()];
  } finally {
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
}

describe('the probes', () => {
  const handler = healthHandler({
    live: { loop: () => undefined },
    ready: { widgets: () => 'not listed yet', config: () => undefined },
  });

  for (const [path, status, text] of [
    ['/livez', 200, 'ok\n'],
    ['/healthz', 200, 'ok\n'],
    ['/livez?verbose', 200, '[+] loop ok\n'],
    ['/readyz', 503, '[-] widgets: not listed yet\n[+] config ok\n'],
    ['/other', 404, ''],
  ] as const) {
    it(`answer ${path} with ${status}`, async () => {
      assert.deepEqual(await answerOf(handler, path), [status, text]);
    });
  }
});

describe('the metrics', () => {
  it('ask for gauges at each scrape', async () => {
    const metrics = kubeMetrics();
    let objects = 1;
    metrics.reflectorObjects({ kind: 'Widget' }, () => objects);
    const scrape = () => answerOf((request, response) => void metricsHandler(metrics.registry)(request, response), '/');
    assert.match((await scrape())[1], /sky_reflector_objects\{kind="Widget"\} 1/);
    objects = 7;
    assert.match((await scrape())[1], /sky_reflector_objects\{kind="Widget"\} 7/);
  });
});
