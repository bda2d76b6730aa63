import { json } from '../wire.ts';
import type { Handler } from './http.ts';

/** Lines that test jobs report: `start`, `beat` and `stop`, as `{job, attempt, rank, bootId, pid, t}`. Survives every fault. */
export function collectorHandler(lines: unknown[]): Handler {
  return async ({ method, path, text }) => {
    if (path !== '/__collect') return json(404, {});
    if (method === 'GET') return json(200, lines);
    for (const line of text.split('\n')) if (line.trim() !== '') lines.push(parsed(line));
    return json(200, {});
  };
}

/** A job under test may report anything; what is not JSON is kept as text. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
