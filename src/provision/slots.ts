/** Slots as ranges: "0-7", "3", "0,4-6". */

export function formatSlots(slots: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && slot <= last[1] + 1) last[1] = slot;
    else ranges.push([slot, slot]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** The inverse of formatSlots; throws on anything else, for a status edited by hand must not be guessed at. */
export function parseSlots(text: string): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((range) => {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range);
    if (!match) throw new Error(`"${text}" is not a list of slots`);
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Machines of one call are told apart by their place in it, so an attempt is one call or one for each slot, never a few. */
export function slotsPerCall(slots: readonly number[], maxPerLaunch = 1): number {
  return slots.length <= maxPerLaunch ? slots.length : 1;
}

/** 0 to count-1. */
export function allSlots(count: number): number[] {
  return Array.from({ length: count }, (_, slot) => slot);
}
