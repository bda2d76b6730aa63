import type { IncomingMessage, ServerResponse } from 'node:http';

/** Undefined when well, else what is wrong. */
export type Check = () => string | undefined;

export interface Checks {
  readonly live: Readonly<Record<string, Check>>;
  readonly ready: Readonly<Record<string, Check>>;
}

/** Answers /livez (also as /healthz) and /readyz: 200, or 503 when a check is not well. `?verbose`, and any failure, lists the checks. */
export function healthHandler(checks: Checks): (request: IncomingMessage, response: ServerResponse) => void {
  const byPath = new Map([
    ['/livez', checks.live],
    ['/healthz', checks.live],
    ['/readyz', checks.ready],
  ]);
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const asked = byPath.get(url.pathname);
    if (!asked) {
      response.writeHead(404).end();
      return;
    }
    const found = Object.entries(asked).map(([name, check]) => ({ name, trouble: check() }));
    const isWell = found.every(({ trouble }) => trouble === undefined);
    const lines = found.map(({ name, trouble }) =>
      trouble === undefined ? `[+] ${name} ok` : `[-] ${name}: ${trouble}`,
    );
    const text = isWell && !url.searchParams.has('verbose') ? 'ok' : lines.join('\n');
    response.writeHead(isWell ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  };
}
