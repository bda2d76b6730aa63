/** Tries the rules one by one, and ends everything that they have made, whatever happens. */
import { judge } from '../../../src/clouds/conformance/rules.ts';
import type { Rule, Verdict } from '../../../src/clouds/conformance/rules.ts';
import type { World } from '../../../src/clouds/conformance/world.ts';
import type { Account, Left } from './account.ts';
import type { Guard } from './guard.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const EXIT_BY_SIGNAL = 130;

export interface Run {
  readonly world: World;
  readonly account: Account;
  readonly guard: Guard;
  readonly chosen: readonly Rule[];
  /** Aborted by a signal of the process. */
  readonly stop: AbortController;
  readonly say: (line: string) => void;
}

/** The exit code. */
export async function run(run: Run): Promise<number> {
  const { stop, say, guard } = run;
  const onSignal = (signal: string): void => {
    say(stop.signal.aborted ? 'still ending machines; wait' : `${signal}: ending everything`);
    stop.abort(new Error('ended by a signal'));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const counts = { passed: 0, failed: 0 };
  try {
    await Promise.race([judged(run, counts), aborted(stop.signal)]);
  } catch (error) {
    counts.failed += 1;
    say(`FAILED  the run itself: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    guard.ends();
    await guard.settled();
  }
  const left = await run.account.ends(2);
  say(`${counts.passed} passed, ${counts.failed} failed`);
  tell(run, left);
  if (left || counts.failed > 0) return 1;
  return stop.signal.aborted ? EXIT_BY_SIGNAL : Number(counts.passed === 0);
}

async function judged({ world, guard, chosen, stop, say }: Run, counts: { passed: number; failed: number }) {
  for (const rule of chosen) {
    guard.allows(rule.machines ?? 0);
    for await (const verdict of verdicts(world, rule)) {
      // What a rule says after the end was called for is about the end.
      if (stop.signal.aborted) return;
      say(lineOf(verdict));
      if (verdict.skipped !== undefined) continue;
      if (verdict.broken === undefined) counts.passed += 1;
      else counts.failed += 1;
    }
  }
}

async function* verdicts(world: World, rule: Rule): AsyncIterable<Verdict> {
  if (rule.applies?.(world.capabilities) === false) yield { rule, skipped: 'does not apply to what this cloud can do' };
  else yield* judge(world, [rule]);
}

function lineOf({ rule, broken, skipped }: Verdict): string {
  const what = `${rule.id}: ${rule.says}`;
  if (skipped !== undefined) return `skipped ${what}\n        ${skipped}`;
  return broken === undefined ? `ok      ${what}` : `FAILED  ${what}\n        ${broken}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function tell({ account, say }: Run, left: Left | undefined): void {
  const { installation, region } = account.options;
  if (!left) {
    say(`nothing is left: two complete lists of ${region} show no machine of ${installation}, and nothing beside them`);
    return;
  }
  say(`SOMETHING IS LEFT of ${installation} in ${region}${left.why ? `, for ${left.why}` : ''}; end it by hand:`);
  for (const machine of left.machines) say(`  machine ${machine}`);
  for (const thing of left.beside) say(`  beside  ${thing}`);
}
