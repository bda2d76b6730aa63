import { InputError, shown } from './input-error.ts';
import { textOf } from './quantity.ts';

const PORTS = /^(\d{1,5})(?:-(\d{1,5}))?$/;
const MAX_PORT = 65_535;

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** Sorted ranges, overlapping and adjacent ones merged. Throws InputError. */
export function portRanges(ports: readonly (string | number)[], field = 'ports'): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of ports.map((port) => rangeOf(port, field)).sort((a, b) => a.low - b.low)) {
    const last = merged.at(-1);
    if (last && range.low <= last.high + 1)
      merged[merged.length - 1] = { low: last.low, high: Math.max(last.high, range.high) };
    else merged.push(range);
  }
  return merged;
}

export function portText({ low, high }: PortRange): string {
  return low === high ? String(low) : `${low}-${high}`;
}

function rangeOf(port: string | number, field: string): PortRange {
  const [, first, last] = PORTS.exec(textOf(port)) ?? [];
  const [low, high] = [Number(first), Number(last ?? first)];
  if (low >= 1 && low <= high && high <= MAX_PORT) return { low, high };
  throw new InputError(field, 'Format', `${shown(port)} is not a port (1-65535) or a range LOW-HIGH`);
}
