/** What a node's journal says about one run. Pure and total: whatever a machine writes, there is an answer. */

/** A record that its writer filled; anything else in it is corrupt, and corrupt is never success. */
const EXIT = /^(0|[1-9][0-9]{0,2}) ([0-9]{10}) *$/;

/** Longest time between a runner's first act and its next record; later it is lost. */
const RUNNER_START_SECONDS = 30;

export interface JournalFacts {
  readonly exists: boolean;
  /** False: the machine was booted since the runner started. True also while the runner has not said in which boot it runs. */
  readonly bootIdMatches: boolean;
  /** A runner has begun. */
  readonly runner: boolean;
  /** The runner's process: no record of it yet, or as it is now. */
  readonly proc: 'absent' | 'alive' | 'dead';
  readonly decision: 'go' | 'abort' | undefined;
  /** Seconds since the decision, or since the runner began where there is none; 0 without either. */
  readonly waitingSeconds: number;
  /** As the runner wrote it, unchecked; undefined while blank. */
  readonly exit: string | undefined;
  readonly stopped: { readonly cause: string; readonly signal: string; readonly at: number } | undefined;
  /** Unix seconds at which the tree of processes was seen empty. */
  readonly empty: number | undefined;
  /** Processes that the kernel killed for memory; undefined: not counted. */
  readonly oom: number | undefined;
  /** Unix seconds just before the user's process. */
  readonly start: number | undefined;
  /** Unix seconds of the runner's last heartbeat. */
  readonly beat: number | undefined;
  /** Logical offset of the first byte kept, and of the end. */
  readonly base: number;
  readonly size: number;
  /** The log's last bytes, at most 4 KiB; only where one read asked for it. */
  readonly tail?: Buffer;
}

export type RunState =
  | { readonly kind: 'Missing' }
  | { readonly kind: 'Prepared' }
  | { readonly kind: 'Armed' }
  | { readonly kind: 'Starting' }
  | { readonly kind: 'Running' }
  | { readonly kind: 'Exited'; readonly code: number; readonly at: number }
  | { readonly kind: 'RunnerLost' }
  | { readonly kind: 'Vanished' }
  | { readonly kind: 'Rebooted' }
  | { readonly kind: 'NeverStarted' }
  | { readonly kind: 'Unknown' };

/** First match wins; `abort` comes first because it is the proof that nothing ever ran. */
export function runState(facts: JournalFacts): RunState {
  if (!facts.exists) return { kind: 'Missing' };
  if (facts.decision === 'abort') return { kind: 'NeverStarted' };
  if (!facts.runner) return { kind: 'Prepared' };
  if (facts.decision === undefined) return undecided(facts);
  if (facts.exit !== undefined) return exited(facts.exit);
  return started(facts);
}

function undecided(facts: JournalFacts): RunState {
  if (!facts.bootIdMatches || facts.proc === 'dead') return { kind: 'RunnerLost' };
  if (facts.proc === 'alive') return { kind: 'Armed' };
  return { kind: facts.waitingSeconds > RUNNER_START_SECONDS ? 'RunnerLost' : 'Prepared' };
}

function exited(record: string): RunState {
  const [, code, at] = EXIT.exec(record) ?? [];
  const valid = code !== undefined && Number(code) <= 255;
  return valid ? { kind: 'Exited', code: Number(code), at: Number(at) } : { kind: 'Unknown' };
}

function started(facts: JournalFacts): RunState {
  if (!facts.bootIdMatches) return { kind: 'Rebooted' };
  switch (facts.proc) {
    case 'alive':
      return { kind: 'Running' };
    case 'dead':
      return { kind: 'Vanished' };
    case 'absent':
      return { kind: facts.waitingSeconds > RUNNER_START_SECONDS ? 'RunnerLost' : 'Starting' };
    default:
      return facts.proc satisfies never;
  }
}

/** Reads the answer of `read` (lines `<name> <value>`, an empty line, the log's tail) or the body of a state frame. */
export function parseFacts(answer: Buffer): JournalFacts {
  const end = answer.indexOf('\n\n');
  const head = end < 0 ? answer : answer.subarray(0, end);
  const lines = recordsOf(head.toString('latin1'));
  const decision = decisionOf(lines.get('decision'));
  const since = decision === undefined ? lines.get('runner') : lines.get('decided');
  const now = count(lines.get('time'));
  const base = count(lines.get('base')) ?? 0;
  return {
    exists: lines.has('journal'),
    bootIdMatches: [undefined, lines.get('now')].includes(lines.get('boot')),
    runner: lines.has('runner'),
    proc: procOf(lines.get('alive')),
    decision,
    waitingSeconds: Math.max(0, (now ?? 0) - (count(since) ?? now ?? 0)),
    exit: lines.get('exit'),
    stopped: stoppedOf(lines.get('stopped')),
    empty: count(lines.get('empty')),
    oom: count(lines.get('oom')),
    start: count(lines.get('start')),
    beat: count(lines.get('beat')),
    base,
    size: base + (count(lines.get('bytes')) ?? 0),
    ...(end < 0 ? {} : { tail: answer.subarray(end + 2) }),
  };
}

/** Trailing blanks are the padding of a record; the first of two equal names counts. */
function recordsOf(text: string): Map<string, string> {
  const records = new Map<string, string>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    const name = space < 0 ? line : line.slice(0, space);
    if (name !== '' && !records.has(name)) records.set(name, space < 0 ? '' : line.slice(space + 1).trimEnd());
  }
  return records;
}

function procOf(text: string | undefined): JournalFacts['proc'] {
  return text === 'alive' || text === 'dead' ? text : 'absent';
}

/** A decision that cannot be read is no permission to think that nothing ran. */
function decisionOf(text: string | undefined): JournalFacts['decision'] {
  if (text === undefined) return undefined;
  return /^abort [0-9]+$/.test(text) ? 'abort' : 'go';
}

function stoppedOf(text: string | undefined): JournalFacts['stopped'] {
  const [, cause, signal, at] = /^([A-Za-z0-9._-]+) ([A-Z0-9]+) ([0-9]{10})$/.exec(text ?? '') ?? [];
  return cause === undefined || signal === undefined ? undefined : { cause, signal, at: Number(at) };
}

function count(text: string | undefined): number | undefined {
  const [, digits] = /^([0-9]{1,15})(?: |$)/.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
