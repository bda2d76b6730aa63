/** The thread of reader.ts: takes a file or rows, answers with one snapshot whose columns move without a copy. */
import { parentPort, workerData } from 'node:worker_threads';
import type { CatalogRow } from '../clouds/contract.ts';
import type { Parsed } from './build.ts';
import { plain } from './bytes.ts';
import { parseCatalog, type PriceRules, rowReader } from './load.ts';
import { CatalogRefused } from './refused.ts';

/** One message to the thread. */
export type Part = { readonly bytes: Uint8Array } | { readonly rows: readonly CatalogRow[]; readonly isLast?: true };

/** The one message from the thread. */
export type Answer =
  | { readonly kind: 'Read'; readonly parsed: Parsed }
  | { readonly kind: 'Refused'; readonly why: string }
  | { readonly kind: 'Failed'; readonly message: string };

/** Whose catalog it is. */
export interface Given {
  readonly provider: string;
  readonly prices: PriceRules;
}

const { provider, prices } = workerData as Given;
const rows = rowReader(provider, prices);

parentPort?.on('message', (part: Part) => {
  const answer = answerTo(part);
  if (answer) parentPort?.postMessage(answer, answer.kind === 'Read' ? buffersOf(answer.parsed) : []);
});

/** Undefined while more is to come. */
function answerTo(part: Part): Answer | undefined {
  try {
    if ('bytes' in part) return { kind: 'Read', parsed: parseCatalog(plain(part.bytes), provider, prices) };
    for (const row of part.rows) rows.add(row);
    return part.isLast ? { kind: 'Read', parsed: rows.parsed() } : undefined;
  } catch (error) {
    if (error instanceof CatalogRefused) return { kind: 'Refused', why: error.why };
    return { kind: 'Failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function buffersOf({ snapshot: { region, zone, onDemand, spot, bySpot, openRegions } }: Parsed): ArrayBuffer[] {
  return [region, zone, onDemand, spot, bySpot, openRegions].map(({ buffer }) => buffer as ArrayBuffer);
}
