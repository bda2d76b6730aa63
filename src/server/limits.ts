/** What one identity may ask for: so many requests a second and so many logs at once. */
import type { Clock } from '../clock.ts';

const PER_SECOND = 20;
const MOST_STREAMS = 10;
/** Identities kept; those that are quiet are forgotten first. */
const MOST_USERS = 10_000;

interface Usage {
  tokens: number;
  at: number;
  streams: number;
}

export class Limits {
  readonly #clock: Clock;
  readonly #users = new Map<string, Usage>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more request of this identity may be answered now. */
  admits(user: string): boolean {
    const usage = this.#usageOf(user);
    const now = this.#clock.monotonic();
    usage.tokens = Math.min(PER_SECOND, usage.tokens + ((now - usage.at) / 1_000) * PER_SECOND);
    usage.at = now;
    if (usage.tokens < 1) return false;
    usage.tokens -= 1;
    return true;
  }

  /** Counts one more log until the result is called; undefined when there are too many already. */
  stream(user: string): (() => void) | undefined {
    const usage = this.#usageOf(user);
    if (usage.streams >= MOST_STREAMS) return undefined;
    usage.streams += 1;
    return () => {
      usage.streams -= 1;
    };
  }

  #usageOf(user: string): Usage {
    const known = this.#users.get(user);
    if (known) return known;
    if (this.#users.size >= MOST_USERS) this.#forgetQuiet();
    const usage = { tokens: PER_SECOND, at: this.#clock.monotonic(), streams: 0 };
    this.#users.set(user, usage);
    return usage;
  }

  #forgetQuiet(): void {
    const refilled = this.#clock.monotonic() - 1_000;
    for (const [user, { at, streams }] of this.#users) if (streams === 0 && at < refilled) this.#users.delete(user);
  }
}
