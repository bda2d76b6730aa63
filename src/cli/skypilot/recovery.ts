/** What happens when machines or the work fail. */
import type { SkyJobSpec } from '../../api/types.gen.ts';
import { type Problem, readMap, type Rules, wholeOf, wordOf } from './rules.ts';

type Recovery = NonNullable<SkyJobSpec['recovery']>;

const STRATEGIES = { eager_next_region: 'EagerNextRegion', failover: 'Failover', none: 'None' } as const;
const EXIT_CODES = { from: 0, to: 255 };
const RESTARTS = { from: 0, to: 100_000 };

export function recoveryOf(value: unknown, field: string, problems: Problem[]): Recovery {
  if (typeof value === 'string') return { strategy: wordOf(value, field, STRATEGIES) };
  return readMap(value, field, RULES, problems);
}

const RULES: Rules<Partial<Recovery>> = {
  strategy: (value, field) => ({ strategy: wordOf(value, field, STRATEGIES) }),
  max_restarts_on_errors: (value, field) => ({ maxRestartsOnErrors: wholeOf(value, field, RESTARTS) }),
  recover_on_exit_codes: (value, field) => {
    const codes: readonly unknown[] = Array.isArray(value) ? value : [value];
    return { recoverOnExitCodes: [...new Set(codes.map((code) => wholeOf(code, field, EXIT_CODES)))] };
  },
};
