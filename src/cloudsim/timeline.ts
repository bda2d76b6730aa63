import type { Clock } from '../clock.ts';

interface Due {
  readonly at: number;
  readonly run: () => void;
}

/** The simulated clock: real time multiplied by a factor, plus steps. Whatever is due later waits here and moves with it. */
export class Timeline {
  readonly #clock: Clock;
  #factor: number;
  #realBase: number;
  #simBase: number;
  #due: Due[] = [];
  #disarm = (): void => {};

  constructor(clock: Clock, factor: number) {
    this.#clock = clock;
    this.#factor = factor;
    this.#realBase = clock.monotonic();
    this.#simBase = clock.now();
  }

  /** Simulated Unix milliseconds. */
  now(): number {
    return this.#simBase + (this.#clock.monotonic() - this.#realBase) * this.#factor;
  }

  /** How long simulated seconds take for whoever waits outside. */
  realSeconds(simulated: number): number {
    return simulated / this.#factor;
  }

  /** Runs once after `ms` simulated milliseconds. */
  after(ms: number, run: () => void): void {
    this.#due.push({ at: this.now() + ms, run });
    this.#due.sort((a, b) => a.at - b.at);
    this.#arm();
  }

  set(change: { readonly factor?: number; readonly stepMs?: number }): void {
    this.#simBase = this.now() + (change.stepMs ?? 0);
    this.#realBase = this.#clock.monotonic();
    this.#factor = change.factor ?? this.#factor;
    this.#arm();
  }

  /** Forgets everything that was due. */
  clear(): void {
    this.#due = [];
    this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    const next = this.#due[0];
    if (!next) return;
    const realMs = Math.ceil((next.at - this.now()) / this.#factor);
    this.#disarm = this.#clock.timer(realMs, () => this.#fire());
  }

  #fire(): void {
    const now = this.now();
    const ripe = this.#due.filter((due) => due.at <= now);
    this.#due = this.#due.filter((due) => due.at > now);
    for (const due of ripe) due.run();
    this.#arm();
  }
}
