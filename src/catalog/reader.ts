/** Reads catalogs in a thread of their own, so that the largest holds up nothing else. */
import { setImmediate as afterEvents } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { CatalogRow } from '../clouds/contract.ts';
import type { Parsed, PriceRules } from './build.ts';
import { CatalogRefused } from './refused.ts';
import type { Answer, Given, Part } from './worker.ts';

/** A file of text, packed or not, or the rows that a provider gives. */
export type CatalogContent = Uint8Array | AsyncIterable<CatalogRow>;

/** So many rows are copied to the thread in about a millisecond. */
const ROWS_AT_ONCE = 1_000;

/** A hostile catalog ends its thread, not the process. */
const LIMITS = { maxOldGenerationSizeMb: 1_024 };

/** Throws CatalogRefused, and what `content` throws. */
export async function readAside(content: CatalogContent, provider: string, prices: PriceRules = {}): Promise<Parsed> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: { provider, prices } satisfies Given,
    resourceLimits: LIMITS,
  });
  try {
    const answer = answerOf(worker);
    await Promise.race([answer, sent(content, worker)]);
    return parsedOf(await answer);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(new Error(`the thread that reads the catalog ended with ${code}`)));
  // When sending fails, nobody asks for the answer any more.
  promise.catch(() => undefined);
  return promise;
}

async function sent(content: CatalogContent, worker: Worker): Promise<void> {
  const post = (part: Part, ...moved: ArrayBuffer[]): void => worker.postMessage(part, moved);
  if (content instanceof Uint8Array) {
    // A buffer that is a view of a larger one cannot be moved without taking that along.
    const bytes = Uint8Array.from(content);
    return post({ bytes }, bytes.buffer);
  }
  let rows: CatalogRow[] = [];
  for await (const row of content) {
    if (rows.push(row) < ROWS_AT_ONCE) continue;
    post({ rows });
    rows = [];
    await afterEvents();
  }
  post({ rows, isLast: true });
}

function parsedOf(answer: Answer): Parsed {
  if (answer.kind === 'Read') return answer.parsed;
  throw answer.kind === 'Refused' ? new CatalogRefused(answer.why) : new Error(answer.message);
}
