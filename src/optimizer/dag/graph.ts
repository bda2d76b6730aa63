/** The order of a pipeline's stages. */
import { InputError } from '../request/input-error.ts';

export interface Node {
  readonly name: string;
  readonly dependsOn?: readonly string[];
}

/** Each stage after all that it depends on, in declaration order among those that are ready. Throws InputError. */
export function topological<T extends Node>(stages: readonly T[]): T[] {
  checkNames(stages);
  const order: T[] = [];
  const done = new Set<string>();
  const waiting = [...stages];
  while (waiting.length > 0) {
    const index = waiting.findIndex(({ dependsOn = [] }) => dependsOn.every((name) => done.has(name)));
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (!next) throw cycle(waiting);
    done.add(next.name);
    order.push(next);
  }
  return order;
}

/** Whether the stages form one line. */
export function isChain(stages: readonly Node[]): boolean {
  const fanOut = new Map<string, number>();
  for (const name of stages.flatMap(({ dependsOn = [] }) => dependsOn)) fanOut.set(name, (fanOut.get(name) ?? 0) + 1);
  const heads = stages.filter(({ dependsOn = [] }) => dependsOn.length === 0);
  return (
    heads.length <= 1 &&
    stages.every(({ dependsOn = [] }) => dependsOn.length <= 1) &&
    [...fanOut.values()].every((count) => count <= 1)
  );
}

function checkNames(stages: readonly Node[]): void {
  const names = new Set<string>();
  for (const { name } of stages) {
    if (names.has(name))
      throw new InputError('tasks', 'DuplicateStage', `"${name}" is the name of two stages; rename one`);
    names.add(name);
  }
  const unknown = stages.flatMap(({ dependsOn = [] }) => dependsOn).find((name) => !names.has(name));
  if (unknown !== undefined)
    throw new InputError('tasks', 'UnknownStage', `"${unknown}" is in dependsOn but is no stage; correct the name`);
}

function cycle(stages: readonly Node[]): InputError {
  const names = stages.map(({ name }) => name).join(', ');
  return new InputError('tasks', 'Cycle', `${names} wait for each other; remove one of their dependsOn`);
}
