import type { Clock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** One JSON line per record. `msg` is a constant sentence; what varies goes into `fields`. Never hand it secrets or bodies. */
export interface Logger {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
  /** A logger whose records all carry `fields`. */
  with(fields: LogFields): Logger;
}

export interface LogOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  /** Applied to the finished line: the last place where a loaded secret could slip out. */
  readonly redact?: (line: string) => string;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function jsonLogger(options: LogOptions, base: LogFields = {}): Logger {
  const at = (level: LogLevel) => (msg: string, fields?: LogFields) => {
    if (ORDER[level] < ORDER[options.level]) return;
    const time = new Date(options.clock.now()).toISOString();
    const line = JSON.stringify({ time, level, msg, ...base, ...fields }, errorsAsData);
    options.write(`${options.redact ? options.redact(line) : line}\n`);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => jsonLogger(options, { ...base, ...fields }),
  };
}

/** For code and tests that have nothing to say. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

/** Error objects have no enumerable fields, so JSON would print them as {}. */
function errorsAsData(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return {
    name,
    message,
    ...(stack ? { stack } : {}),
    ...(cause ? { cause } : {}),
    ...('code' in value ? { code: value.code } : {}),
  };
}
