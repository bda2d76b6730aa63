import type { Clock } from '../../clock.ts';

/** The time of one call. It stands still while the call waits for its turn: some clouds take one launch in 12 s, and a gang has many. */
export class TimeLimit {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #leftMs: number;
  #startedAt = 0;
  #disarm: (() => void) | undefined;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#leftMs = limitMs;
    this.resume();
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  remainingMs(): number {
    return this.#disarm ? this.#startedAt + this.#leftMs - this.#clock.monotonic() : this.#leftMs;
  }

  pause(): void {
    if (!this.#disarm) return;
    this.#disarm();
    this.#disarm = undefined;
    this.#leftMs -= this.#clock.monotonic() - this.#startedAt;
  }

  resume(): void {
    if (this.#disarm) return;
    this.#startedAt = this.#clock.monotonic();
    this.#disarm = this.#clock.timer(this.#leftMs, () =>
      this.#controller.abort(new Error(`no answer within ${this.#limitMs / 1_000} s`)),
    );
  }
}
