/** Runs the cases of a file and compares exactly. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { InputError } from '../../../src/optimizer/request/input-error.ts';
import type { Case, Catalogs } from './case.ts';
import { KINDS } from './kinds.ts';

export interface Failure {
  readonly name: string;
  readonly kind: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

interface CaseFile {
  readonly catalogs?: Readonly<Record<string, string>>;
  readonly cases: readonly Case[];
}

/** `yaml` is the text of a case file; `folder` holds the CSV files that cases name. */
export function runCases(yaml: string, folder?: string): Outcome {
  const { catalogs = {}, cases } = parse(yaml, { maxAliasCount: -1 }) as CaseFile;
  const source = catalogsOf(catalogs, folder);
  const failures = cases.flatMap((test): Failure[] => {
    const actual = resultOf(test, source);
    const { name, kind, expect: expected } = test;
    return isDeepStrictEqual(plain(actual), plain(expected)) ? [] : [{ name, kind, expected, actual }];
  });
  return { passed: cases.length - failures.length, failures };
}

function resultOf(test: Case, catalogs: Catalogs): unknown {
  const run = KINDS[test.kind];
  if (!run) return `no such kind: ${test.kind}`;
  try {
    return run(test, catalogs);
  } catch (error) {
    if (error instanceof InputError) return { error: { field: error.field, code: error.code } };
    return String(error);
  }
}

/** Without undefined and prototypes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

/** SkyClouds that are not named like the file of their catalog. */
const CLOUD_OF_FILE: Readonly<Record<string, string>> = { do: 'digitalocean' };

function catalogsOf(named: Readonly<Record<string, string>>, folder: string | undefined): Catalogs {
  const files = new Map<string, string>();
  return {
    of: (name) => {
      const block = named[name];
      if (block !== undefined) return byCloud(block);
      if (folder === undefined) throw new Error(`no catalog ${name}; give the folder of ${name} with --catalogs`);
      const csv = files.get(name) ?? readFileSync(join(folder, name), 'utf8');
      files.set(name, csv);
      const base = name.replace(/\.csv$/, '');
      return new Map([[CLOUD_OF_FILE[base] ?? base, csv]]);
    },
  };
}

/** One CSV for each value of the column Cloud, which is the first. */
function byCloud(block: string): Map<string, string> {
  const [header = '', ...rows] = block.trim().split('\n');
  const clouds = new Map<string, string>();
  for (const row of rows) {
    const cloud = row.slice(0, row.indexOf(','));
    clouds.set(cloud, `${clouds.get(cloud) ?? `${header}\n`}${row}\n`);
  }
  return clouds;
}

export function failureText({ name, kind, expected, actual }: Failure): string {
  return `FAIL ${kind}: ${name}\n  expected ${show(expected)}\n  actual   ${show(actual)}`;
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
