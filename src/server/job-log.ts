/** The log of a job over its ranks and attempts, as text for people. */
import type { JobAttempt, SkyJob } from '../api/types.gen.ts';
import type { LogName, LogStore } from '../controllers/skyjob/log-store.ts';
import type { Redactor } from '../redact.ts';
import type { JobWatch } from './job-watch.ts';
import { LineReader, offsetOfTail, printable } from './lines.ts';
import { nextStep, ranksOf, type Step } from './next-step.ts';
import type { LogQuery } from './request.ts';

export interface LogSource {
  readonly jobs: JobWatch;
  readonly logs: LogStore;
  readonly redactor: Redactor;
}

/** Whole lines, as they come. Without `follow` what is there now; with it to the end of the job, told by a last line. */
export async function* jobLog(
  first: SkyJob,
  query: LogQuery,
  source: LogSource,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const bell = new Bell();
  const unwatch = source.jobs.watch(first.metadata.uid, bell.ring);
  signal.addEventListener('abort', bell.ring, { once: true });
  let shown: OpenLog | undefined;
  try {
    while (!signal.aborted) {
      // Before looking: what changes while we look must ring.
      const rung = bell.next();
      const step = nextStep(query.follow ? source.jobs.get(first) : first, query, shown?.attempt);
      yield* parting(step, shown);
      if (step.kind === 'End') return;
      if (step.kind === 'Wait') await rung;
      else
        shown = reopen(shown, new OpenLog(first, step.attempt, { query: shown ? whole(query) : query, source, bell }));
    }
  } finally {
    shown?.close();
    unwatch();
    signal.removeEventListener('abort', bell.ring);
  }
}

class Bell {
  #rung = Promise.withResolvers<void>();

  readonly ring = () => this.#rung.resolve();

  /** Resolves at the next ring. */
  next(): Promise<void> {
    this.#rung = Promise.withResolvers<void>();
    return this.#rung.promise;
  }
}

function reopen(old: OpenLog | undefined, next: OpenLog): OpenLog {
  old?.close();
  return next;
}

/** What is left of the log that is shown, and what comes after it. */
async function* parting(step: Step, shown: OpenLog | undefined): AsyncGenerator<string> {
  if (shown) yield* shown.lines(step.kind !== 'Wait');
  if (step.kind === 'End' && step.words !== '') yield `--- ${printable(step.words)}\n`;
  // The first log needs no heading.
  if (step.kind === 'Open' && shown)
    yield `--- attempt ${step.attempt.ordinal} in ${printable(placeOf(step.attempt))} ---\n`;
}

/** The files of one attempt that are shown. */
class OpenLog {
  readonly attempt: JobAttempt;
  readonly #source: LogSource;
  readonly #unwatch: (() => void)[];
  /** Files with bytes that were not looked at, by what their lines begin with. */
  readonly #unread = new Map<LineReader, string>();
  readonly #all: ReadonlyMap<LineReader, string>;

  constructor(
    job: SkyJob,
    attempt: JobAttempt,
    { query, source, bell }: { readonly query: LogQuery; readonly source: LogSource; readonly bell: Bell },
  ) {
    this.attempt = attempt;
    this.#source = source;
    const { namespace = '', uid } = job.metadata;
    const count = ranksOf(attempt);
    const ranks = query.rank === undefined ? Array.from({ length: count }, (_, rank) => rank) : [query.rank];
    const opened = ranks.map((rank) => {
      const name = { namespace, uid, file: `${attempt.ordinal}/${rank}` };
      const prefix = ranks.length > 1 ? `(rank=${rank}) ` : '';
      return { name, prefix, reader: new LineReader(source.logs, name, startOf(source.logs, name, query)) };
    });
    this.#all = new Map(opened.map(({ reader, prefix }) => [reader, prefix]));
    for (const [reader, prefix] of this.#all) this.#unread.set(reader, prefix);
    this.#unwatch = opened.map(({ name, reader, prefix }) =>
      source.logs.watch(name, () => {
        this.#unread.set(reader, prefix);
        bell.ring();
      }),
    );
  }

  async *lines(isEnd: boolean): AsyncGenerator<string> {
    if (isEnd) for (const [reader, prefix] of this.#all) this.#unread.set(reader, prefix);
    while (this.#unread.size > 0) {
      for (const [reader, prefix] of this.#unread) {
        const text = reader.next(isEnd);
        if (text === undefined) this.#unread.delete(reader);
        else yield this.#shown(text, prefix);
      }
    }
  }

  close(): void {
    for (const unwatch of this.#unwatch) unwatch();
  }

  #shown(text: string, prefix: string): string {
    const clean = printable(this.#source.redactor.clean(text));
    if (prefix === '') return clean;
    const lines = clean.slice(0, -1).split('\n');
    return lines.map((line) => `${prefix}${line}\n`).join('');
  }
}

function startOf(logs: LogStore, name: LogName, { tailLines, sinceOffset = 0 }: LogQuery): number {
  return tailLines === undefined ? sinceOffset : offsetOfTail(logs, name, tailLines);
}

/** Where to begin was meant for the first attempt only. */
function whole(query: LogQuery): LogQuery {
  return { ...query, tailLines: undefined, sinceOffset: undefined };
}

function placeOf({ placement }: JobAttempt): string {
  const { infra, cloud, region, zone } = placement ?? {};
  return infra ?? [cloud, region, zone].filter(Boolean).join('/');
}
