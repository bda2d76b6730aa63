import { ProviderError } from '../contract.ts';
import type { LaunchRequest, LaunchResult, ObservedNode, Slot } from '../contract.ts';

/**
 * A gang on a cloud that makes one machine per call: one call per slot, in order, up to the first that does not succeed. Nothing
 * is repeated, for without a token a second call would be a second machine. Throws what `classified` makes of the error, with
 * every machine that was made before it.
 */
export async function gangOfSingles(
  request: LaunchRequest,
  create: (slot: Slot) => Promise<ObservedNode>,
  classified: (error: unknown) => ProviderError,
): Promise<LaunchResult> {
  const nodes: ObservedNode[] = [];
  for (const slot of request.slots) {
    try {
      nodes.push(await create(slot));
    } catch (error) {
      throw withPartial(classified(error), nodes);
    }
  }
  return { nodes, refused: [], effective: request.offering };
}

/** An unknown outcome stays unknown, however much is known to exist. */
function withPartial(error: ProviderError, partial: readonly ObservedNode[]): ProviderError {
  if (partial.length === 0) return error;
  const outcome = error.fault.outcome === 'not-started' ? 'started' : error.fault.outcome;
  return new ProviderError({ ...error.fault, outcome, partial }, { cause: error });
}
