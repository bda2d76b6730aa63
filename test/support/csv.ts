/** CSV read as plainly as can be: what is fast must read the same. */
import { Records } from '../../src/catalog/csv.ts';

/** The records that the operator reads. */
export function recordsOf(csv: string): string[][] {
  const records = new Records(Buffer.from(csv));
  const all: string[][] = [];
  while (records.next()) all.push(records.cells());
  return all;
}

/** The same, a character at a time. */
export function plainRecordsOf(csv: string): string[][] {
  const text = csv.startsWith('\uFEFF') ? csv.slice(1) : csv;
  const records: string[][] = [];
  let from = 0;
  for (let at = 0, inside = false; at <= text.length; at++) {
    if (text[at] === '"') inside = !inside;
    if (at < text.length && (inside || text[at] !== '\n')) continue;
    const record = text.slice(from, at).replace(/\r$/, '');
    if (record !== '') records.push(cellsOf(record));
    from = at + 1;
  }
  return records;
}

function cellsOf(record: string): string[] {
  const cells = [''];
  let inside = false;
  for (let at = 0; at < record.length; at++) {
    const char = record[at] ?? '';
    if (char === ',' && !inside) cells.push('');
    else if (char !== '"') cells[cells.length - 1] += char;
    else if (inside && record[at + 1] === '"') {
      cells[cells.length - 1] += '"';
      at++;
    } else inside = !inside;
  }
  return cells;
}
