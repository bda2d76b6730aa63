/** Text for people: aligned tables, trees, money, times. */

/** The first row is the header. Columns that are empty in every other row are left out. */
export function table(rows: readonly (readonly string[])[]): string {
  const [header = [], ...body] = rows;
  const shown = header.flatMap((_, column) => (body.some((row) => row[column]) ? [column] : []));
  const widths = shown.map((column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows
    .map((row) =>
      lineOf(
        shown.map((column) => row[column] ?? ''),
        widths,
      ),
    )
    .join('');
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)));
  return `${padded.join('   ').trimEnd()}\n`;
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

export interface Branch {
  /** The first line stands at the branch, the others below it. */
  readonly lines: readonly string[];
  readonly branches: readonly Branch[];
}

export function tree({ lines, branches }: Branch): string {
  return branchLines({ lines, branches })
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function branchLines({ lines, branches }: Branch): string[] {
  const [first = '', ...below] = lines;
  const trunk = branches.length > 0 ? '│  ' : '   ';
  return [
    first,
    ...below.map((line) => trunk + line),
    ...branches.flatMap((branch, at) => {
      const isLast = at === branches.length - 1;
      const [head = '', ...rest] = branchLines(branch);
      return [`${isLast ? '└─ ' : '├─ '}${head}`, ...rest.map((line) => (isLast ? '   ' : '│  ') + line)];
    }),
  ];
}

/** Dollars with cents; what is less than a cent is not rounded to nothing. */
export function dollars(amount: number): string {
  return `$${amount > 0 && amount < 0.1 ? amount.toFixed(4) : amount.toFixed(2)}`;
}

/** RFC 3339 as "2026-01-31 09:00:00Z". */
export function utc(time: string): string {
  return time.replace('T', ' ').replace(/\.\d+/, '');
}

/** "5s", "3m", "2h" or "4d". */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
