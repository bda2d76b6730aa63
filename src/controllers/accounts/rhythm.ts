import type { Clock } from '../../clock.ts';

/** Between two lists that events ask for: a storm of them is one list a second. */
const ALERT_GAP_MS = 1_000;

export interface RhythmOptions {
  readonly clock: Clock;
  /** The pace of an open attempt. */
  readonly openMs: number;
  /** The pace that the clusters of the place want now. */
  readonly paceMs: () => number;
}

/** When a place is listed again: at the pace that its clusters want, at that of an open attempt after an intent, at once after an event. */
export class Rhythm {
  readonly #options: RhythmOptions;
  /** Machines that an event told of, with the monotonic instant up to which a list may still show them as they were. */
  readonly #expected = new Map<string, number>();
  #beganAt = 0;
  #isHurried = false;
  #isAlerted = false;
  #wake: () => void = () => {};

  constructor(options: RhythmOptions) {
    this.#options = options;
  }

  hurry(): void {
    this.#isHurried = true;
    this.#wake();
  }

  /** An event told of a machine. `lagMs`: for so long a list may not show it, so the place is looked at closely until one does. */
  alert(id: string, lagMs: number): void {
    if (lagMs > 0) this.#expected.set(id, this.#options.clock.monotonic() + lagMs);
    this.#isAlerted = true;
    this.#wake();
  }

  /** A list begins: what is asked for from now on, it may not show. */
  begin(): void {
    this.#beganAt = this.#options.clock.monotonic();
    this.#isHurried = false;
    this.#isAlerted = false;
  }

  /** A list shows this machine changed. */
  saw(id: string): void {
    this.#expected.delete(id);
  }

  /** Resolves when it is time for the next list, or the signal is aborted. Called when a list has ended. */
  async pause(signal: AbortSignal): Promise<void> {
    const { clock, openMs } = this.#options;
    const endedAt = clock.monotonic();
    const tookMs = endedAt - this.#beganAt;
    while (!signal.aborted) {
      const leftMs = endedAt + this.#gapMs(tookMs) - clock.monotonic();
      if (leftMs <= 0) return;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      // In slices, for the pace may quicken without anybody saying so.
      await clock.sleep(Math.min(leftMs, openMs), AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    }
  }

  #gapMs(tookMs: number): number {
    const { openMs, paceMs } = this.#options;
    // A list that takes long is not repeated at once: half of the time at most is spent on lists.
    if (this.#isAlerted) return Math.min(openMs, Math.max(ALERT_GAP_MS, tookMs));
    return this.#isHurried || this.#expects() ? Math.min(openMs, paceMs()) : paceMs();
  }

  #expects(): boolean {
    const now = this.#options.clock.monotonic();
    for (const [id, until] of this.#expected) if (until <= now) this.#expected.delete(id);
    return this.#expected.size > 0;
  }
}
