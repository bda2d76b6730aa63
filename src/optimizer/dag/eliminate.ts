/**
 * Least sums by tables. A vertex is taken out by noting, for every choice of its neighbours, its best own choice; what it adds
 * is then between the neighbours alone. On a chain or a tree no table has more than one neighbour; any other graph costs as much
 * as its tables are large.
 */
import { type Choice, edge, type Problem } from './problem.ts';

/** Taking out one vertex. */
export interface Step {
  readonly vertex: number;
  /** Its neighbours at that time. */
  readonly scope: readonly number[];
  /** Tables that speak of it: first those of the problem, then that of each step. */
  readonly tables: readonly number[];
}

export interface Least {
  readonly choices: readonly Choice[];
  readonly total: number;
  /** No other assignment has this total. */
  readonly isOnly: boolean;
}

/** Larger tables cost more than a search. */
const MAX_CELLS = 1_000_000;

/** A step for every vertex, always the one with the smallest table; undefined where the tables are too large. */
export function stepsOf(problem: Problem): Step[] | undefined {
  const sizes = sizesOf(problem);
  const scopes: (readonly number[])[] = scopesOf(problem);
  const open = new Set(scopes.keys());
  const neighbours = neighboursOf(problem);
  const waiting = new Set(sizes.keys());
  const steps: Step[] = [];
  let cells = 0;
  while (waiting.size > 0) {
    const vertex = cheapest(waiting, neighbours, sizes);
    const scope = [...(neighbours[vertex] ?? [])].sort((a, b) => a - b);
    cells += cellsOf([...scope, vertex], sizes);
    if (cells > MAX_CELLS) return undefined;
    const tables = [...open].filter((table) => scopes[table]?.includes(vertex));
    steps.push({ vertex, scope, tables });
    waiting.delete(vertex);
    for (const table of tables) open.delete(table);
    open.add(scopes.push(scope) - 1);
    joinAround(vertex, neighbours);
  }
  return steps;
}

/** The first of those with the smallest table. */
function cheapest(
  waiting: ReadonlySet<number>,
  neighbours: readonly ReadonlySet<number>[],
  sizes: readonly number[],
): number {
  let best = -1;
  let least = Infinity;
  for (const vertex of waiting) {
    let cells = 1;
    for (const other of neighbours[vertex] ?? []) cells *= sizes[other] ?? 1;
    if (cells < least) {
      least = cells;
      best = vertex;
    }
  }
  return best;
}

function neighboursOf({ vertices }: Problem): Set<number>[] {
  const neighbours = vertices.map(() => new Set<number>());
  for (const [index, { parents }] of vertices.entries()) {
    for (const parent of parents) {
      neighbours[index]?.add(parent);
      neighbours[parent]?.add(index);
    }
  }
  return neighbours;
}

/** Without the vertex, all its neighbours are those of each other. */
function joinAround(vertex: number, neighbours: readonly Set<number>[]): void {
  const around = neighbours[vertex] ?? new Set();
  for (const one of around) {
    const own = neighbours[one];
    for (const other of around) if (other !== one) own?.add(other);
    own?.delete(vertex);
  }
}

function sizesOf({ vertices }: Problem): number[] {
  return vertices.map(({ choices }) => choices.length);
}

/** Every vertex alone, then every edge. */
function scopesOf({ vertices }: Problem): number[][] {
  const edges = vertices.flatMap(({ parents }, index) => parents.map((parent) => [parent, index]));
  return [...vertices.map((_, index) => [index]), ...edges];
}

function cellsOf(scope: readonly number[], sizes: readonly number[]): number {
  return scope.reduce((product, vertex) => product * (sizes[vertex] ?? 1), 1);
}

/** Numbers for every combination of choices of the vertices in `scope`; those of the last vertex lie side by side. */
interface Table {
  readonly scope: readonly number[];
  readonly values: Float64Array;
  /** Of each number 1 where several choices of those that were taken out give it; undefined where none were. */
  readonly ties: Uint8Array | undefined;
}

/** One of the assignments whose sum is least. `steps` are those of this problem, or of one with more choices. */
export function leastSum(problem: Problem, steps: readonly Step[]): Least {
  const sizes = sizesOf(problem);
  const tables = tablesOf(problem);
  const best = steps.map((step) => {
    const used = step.tables.flatMap((table) => tables[table] ?? []);
    const { best: choices, ...table } = without(step, used, sizes);
    tables.push(table);
    return choices;
  });
  const sums = tables.slice(-steps.length).filter(({ scope }) => scope.length === 0);
  const total = sums.reduce((sum, { values }) => sum + (values[0] ?? 0), 0);
  return { choices: choicesOf(problem, steps, best), total, isOnly: sums.every(({ ties }) => ties?.[0] === 0) };
}

function tablesOf(problem: Problem): Table[] {
  const { vertices } = problem;
  const weights = vertices.map(({ choices }) => choices.map(({ weight }) => weight));
  const edges = vertices.flatMap(({ choices, parents }) =>
    parents.map((parent) => {
      const theirs = vertices[parent]?.choices ?? [];
      return theirs.flatMap((from) => choices.map((to) => edge(problem, parent, from, to)));
    }),
  );
  const scopes = scopesOf(problem);
  return [...weights, ...edges].map((values, at) => ({
    scope: scopes[at] ?? [],
    values: Float64Array.from(values),
    ties: undefined,
  }));
}

interface Reduced extends Table {
  readonly ties: Uint8Array;
  readonly best: Uint16Array;
}

/** For every combination of choices of the neighbours the least sum, and the choice of the vertex that gives it. */
function without({ vertex, scope }: Step, tables: readonly Table[], sizes: readonly number[]): Reduced {
  const cells = cellsOf(scope, sizes);
  const result = { scope, values: new Float64Array(cells), ties: new Uint8Array(cells), best: new Uint16Array(cells) };
  const row = { sums: new Float64Array(sizes[vertex] ?? 0), ties: new Uint8Array(sizes[vertex] ?? 0) };
  const digits = scope.map(() => 0);
  const adders = tables.map((table) => adderOf(table, { vertex, scope, sizes }));
  for (let cell = 0; cell < cells; cell++) {
    row.sums.fill(0);
    row.ties.fill(0);
    for (const add of adders) add(row, digits);
    takeLeast(row, result, cell);
    countOn(digits, scope, sizes);
  }
  return result;
}

/** The sum of each choice of a vertex, and whether several assignments of what was taken out give it. */
interface Row {
  readonly sums: Float64Array;
  readonly ties: Uint8Array;
}

/** Of equal sums the first. */
function takeLeast({ sums, ties }: Row, result: Reduced, cell: number): void {
  let best = 0;
  let tied = ties[0] ?? 0;
  for (let choice = 1; choice < sums.length; choice++) {
    const difference = (sums[choice] ?? 0) - (sums[best] ?? 0);
    if (difference > 0) continue;
    tied = difference === 0 ? 1 : (ties[choice] ?? 0);
    if (difference < 0) best = choice;
  }
  result.values[cell] = sums[best] ?? 0;
  result.ties[cell] = tied;
  result.best[cell] = best;
}

interface Around {
  readonly vertex: number;
  readonly scope: readonly number[];
  readonly sizes: readonly number[];
}

/** Adds what a table says of each choice of the vertex, while the neighbours' choices are `digits`. */
function adderOf(
  { scope: own, values, ties }: Table,
  { vertex, scope, sizes }: Around,
): (row: Row, digits: readonly number[]) => void {
  // How far apart the numbers of two neighbouring choices of a vertex lie; 0 where the table does not speak of it.
  const strideOf = (other: number): number => {
    const at = own.indexOf(other);
    return at < 0 ? 0 : cellsOf(own.slice(at + 1), sizes);
  };
  const stride = strideOf(vertex);
  const strides = scope.map(strideOf);
  return (row, digits) => {
    let at = 0;
    for (let index = 0; index < strides.length; index++) at += (strides[index] ?? 0) * (digits[index] ?? 0);
    for (let choice = 0; choice < row.sums.length; choice++, at += stride) {
      row.sums[choice] = (row.sums[choice] ?? 0) + (values[at] ?? 0);
      if (ties?.[at] === 1) row.ties[choice] = 1;
    }
  };
}

/** To the next combination, the last digit first. */
function countOn(digits: number[], scope: readonly number[], sizes: readonly number[]): void {
  for (let at = digits.length - 1; at >= 0; at--) {
    const next = (digits[at] ?? 0) + 1;
    digits[at] = next < (sizes[scope[at] ?? 0] ?? 0) ? next : 0;
    if (digits[at] !== 0) return;
  }
}

/** What was taken out last has no neighbours left; back from there every table has its answer. */
function choicesOf(problem: Problem, steps: readonly Step[], best: readonly Uint16Array[]): Choice[] {
  const sizes = sizesOf(problem);
  const chosen: number[] = [];
  for (const [at, { vertex, scope }] of [...steps.entries()].reverse()) {
    const cell = scope.reduce((index, other) => index * (sizes[other] ?? 1) + (chosen[other] ?? 0), 0);
    chosen[vertex] = best[at]?.[cell] ?? 0;
  }
  return problem.vertices.flatMap(({ choices }, index) => choices[chosen[index] ?? 0] ?? []);
}
