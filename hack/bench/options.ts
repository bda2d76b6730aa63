import { parseArgs } from 'node:util';

export interface Options {
  /** Folder of CSV files; undefined: the built-in catalogs. */
  readonly catalogs: string | undefined;
  /** A smoke run, whose figures mean nothing. */
  readonly quick: boolean;
  /** File to write the workload to. */
  readonly dump: string | undefined;
  readonly json: boolean;
  /** How many requests are drawn. */
  readonly requests: number;
}

const QUICK_REQUESTS = 100;

export interface CommandLine {
  readonly name: string;
  readonly options: Options;
}

export function commandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      catalogs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      dump: { type: 'string' },
      requests: { type: 'string', default: '1000' },
      json: { type: 'boolean', default: false },
    },
  });
  const { catalogs, quick, dump, json } = values;
  const requests = quick ? QUICK_REQUESTS : Number(values.requests);
  return { name: positionals[0] ?? 'all', options: { catalogs, quick, dump, json, requests } };
}
