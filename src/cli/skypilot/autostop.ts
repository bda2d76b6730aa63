/** When a cluster that nobody uses is given up. */
import type { SkyClusterSpec } from '../../api/types.gen.ts';
import { millionths } from '../../optimizer/request/decimal.ts';
import { shown } from '../../optimizer/request/input-error.ts';
import { flagOf, type Problem, readMap, refused, Refusal, type Rules, wordOf } from './rules.ts';

type Autostop = NonNullable<SkyClusterSpec['autostop']>;

/** What SkyPilot takes where only `true` is written. */
const DEFAULT_MINUTES = 5;
const MAX_MINUTES = 525_600;
const MILLION = 1_000_000n;

const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)([mhdw]?)$/;
const MINUTES: Readonly<Record<string, bigint>> = { '': 1n, m: 1n, h: 60n, d: 1_440n, w: 10_080n };
const WAIT_FOR = { jobs_and_ssh: 'JobsAndSSH', jobs: 'Jobs', none: 'None' } as const;
const HOOK = 'nothing runs when a cluster stops; do it at the end of run';

/** Undefined for `false`. */
export function autostopOf(value: unknown, field: string, problems: Problem[]): Autostop | undefined {
  if (value === false) return undefined;
  if (typeof value !== 'object')
    return { idleMinutes: value === true ? DEFAULT_MINUTES : minutesOf(value, field), action: 'Stop' };
  return { idleMinutes: DEFAULT_MINUTES, action: 'Stop', ...readMap(value, field, RULES, problems) };
}

const RULES: Rules<Partial<Autostop>> = {
  idle_minutes: (value, field) => ({ idleMinutes: minutesOf(value, field) }),
  down: (value, field) => ({ action: flagOf(value, field) ? 'Delete' : 'Stop' }),
  wait_for: (value, field) => ({ waitFor: wordOf(value, field, WAIT_FOR) }),
  hook: refused(HOOK),
  hook_timeout: refused(HOOK),
};

/** Parts of a minute are rounded up. */
function minutesOf(value: unknown, field: string): number {
  const [, digits, unit = ''] = DURATION.exec(String(value)) ?? [];
  if (digits === undefined)
    throw new Refusal(
      field,
      'Format',
      `${shown(value)} is not a time; write minutes as 10, or "10m", "2h", "1d", "1w"`,
    );
  const minutes = (millionths(digits) * (MINUTES[unit] ?? 1n) + MILLION - 1n) / MILLION;
  if (minutes >= 1n && minutes <= BigInt(MAX_MINUTES)) return Number(minutes);
  throw new Refusal(field, 'Range', `must be between 1 minute and ${MAX_MINUTES} minutes`);
}
