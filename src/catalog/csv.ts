/** CSV of RFC 4180: LF or CRLF, quoted fields may hold commas, quotes and line ends. Linear in the text, whatever it holds. */

const CR = 13;

/** Calls `visit` with each record that is not an empty line. */
export function forEachRecord(text: string, visit: (record: string) => void): void {
  forEachSpan(text, (from, to) => visit(text.slice(from, to)));
}

/** Calls `visit` with the bounds of each record that is not an empty line; `isPlain` when no quotes are in it. */
export function forEachSpan(text: string, visit: (from: number, to: number, isPlain: boolean) => void): void {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let quote = text.indexOf('"');
  while (at < text.length) {
    if (quote >= 0 && quote < at) quote = text.indexOf('"', at);
    const newline = lineEnd(text, at);
    const isQuoted = quote >= 0 && quote < newline;
    const end = isQuoted ? quotedRecordEnd(text, at) : newline;
    const to = text.charCodeAt(end - 1) === CR ? end - 1 : end;
    if (to > at) visit(at, to, !isQuoted);
    at = end + 1;
  }
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** The first line end that is not between quotes. */
function quotedRecordEnd(text: string, from: number): number {
  let inside = false;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') inside = !inside;
    else if (char === '\n' && !inside) return at;
  }
  return text.length;
}

export function cellsOf(record: string): string[] {
  if (!record.includes('"')) return record.split(',');
  const cells: string[] = [];
  let cell = '';
  let inside = false;
  for (let at = 0; at < record.length; at++) {
    const char = record[at] ?? '';
    if (char === '"' && inside && record[at + 1] === '"') cell += record[++at];
    else if (char === '"') inside = !inside;
    else if (char === ',' && !inside) {
      cells.push(cell);
      cell = '';
    } else cell += char;
  }
  return [...cells, cell];
}
