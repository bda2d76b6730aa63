/** Merges the shelves of all legs into the one order of candidates. */
import { type Leg, pricesOf, rowAt } from './leg.ts';
import { Shelf } from './shelf.ts';

/** Shelves of all machine types that are offered anywhere. */
export function shelvesOf(legs: readonly Leg[]): Shelf[] {
  const shelves: Shelf[] = [];
  for (const leg of legs) {
    const prices = pricesOf(leg);
    for (const type of leg.types) {
      if (!Number.isNaN(prices[rowAt(leg, type.from)])) shelves.push(new Shelf(leg, type));
    }
  }
  return shelves;
}

/** Yields each shelf at each of its candidates, best first; the shelf is moved on afterwards. */
export function* inOrder(shelves: readonly Shelf[]): Generator<Shelf, void, void> {
  const heap = shelves.filter((shelf) => shelf.advance());
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) siftDown(heap, at);
  for (let best = heap[0]; best !== undefined; best = heap[0]) {
    yield best;
    if (!best.advance()) {
      const last = heap.pop();
      if (last === undefined || last === best) continue;
      heap[0] = last;
    }
    siftDown(heap, 0);
  }
}

function siftDown(heap: Shelf[], start: number): void {
  const item = heap[start];
  if (item === undefined) return;
  let at = start;
  for (let child = smallerChild(heap, at); child !== undefined; child = smallerChild(heap, at)) {
    const lower = heap[child];
    if (lower === undefined || compare(item, lower) <= 0) break;
    heap[at] = lower;
    at = child;
  }
  heap[at] = item;
}

function smallerChild(heap: readonly Shelf[], at: number): number | undefined {
  const left = heap[2 * at + 1];
  const right = heap[2 * at + 2];
  if (left === undefined) return undefined;
  return right !== undefined && compare(right, left) < 0 ? 2 * at + 2 : 2 * at + 1;
}

/** The one order. Ids are sorted by name, so numbers decide everything; legs of different clouds differ in their ranks. */
export function compare(a: Shelf, b: Shelf): number {
  const [x, y] = [a.leg.order, b.leg.order];
  return (
    x.ordered - y.ordered ||
    x.seconds - y.seconds ||
    a.cost - b.cost ||
    x.market - y.market ||
    x.alternative - y.alternative ||
    x.accelerator - y.accelerator ||
    x.cloud - y.cloud ||
    comparePlace(a, b)
  );
}

function comparePlace(a: Shelf, b: Shelf): number {
  const { region, zone } = a.leg.snapshot;
  return (
    (region[a.row] ?? 0) - (region[b.row] ?? 0) ||
    (a.leg.regionLevel ? 0 : (zone[a.row] ?? 0) - (zone[b.row] ?? 0)) ||
    a.type.id - b.type.id
  );
}
