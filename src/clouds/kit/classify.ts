import { ProviderError } from '../contract.ts';
import type { BlockScope, ErrorClass, Offering, Outcome, ProviderFault } from '../contract.ts';
import { NativeError } from './rest.ts';

/** What an error is about; expanded from the offering that was asked for. `none`: retry the same; `request`: no candidate can succeed. */
export type Scope =
  | 'offering'
  | 'type-zone'
  | 'type-region'
  | 'family-region'
  | 'market-region'
  | 'zone'
  | 'region'
  | 'type-cloud'
  | 'cloud'
  | 'none'
  | 'request';

/** One row of a cloud's error table. What is given must match; the first row that matches wins. */
export interface ErrorRow {
  readonly code?: string | RegExp;
  readonly http?: number;
  /** Linear in time; sees at most 300 characters of the message. */
  readonly text?: RegExp;
  readonly op?: string;
  readonly class: ErrorClass;
  readonly scope: Scope;
  /** Of create calls; absent: unknown. */
  readonly outcome?: Outcome;
  /** Seconds; absent: the default of the class. */
  readonly ttl?: number;
  /** May name {region}, {zone} and {instanceType}. */
  readonly hint: string;
}

/** The call that failed. */
export interface FailedCall {
  readonly op: string;
  /** Only calls that create can leave something behind. */
  readonly creates: boolean;
  readonly offering?: Offering;
  /** Gang size. */
  readonly nodes?: number;
}

const MAX_TEXT = 300;

/** Any error as a ProviderError. What no row knows is transient, and of a create call nobody knows what it left behind. */
export function classify(rows: readonly ErrorRow[], error: unknown, call: FailedCall): ProviderError {
  if (error instanceof ProviderError) return error;
  const native =
    error instanceof NativeError ? error : new NativeError(error instanceof Error ? error.message : 'error');
  const row = rows.find((candidate) => matches(candidate, native, call));
  const fault: ProviderFault = {
    class: row?.class ?? 'transient',
    outcome: outcomeOf(row, native, call),
    ...blockOf(row, call),
    ...(native.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: native.retryAfterSeconds }),
    native: {
      ...(native.code === undefined ? {} : { code: native.code }),
      ...(native.http === undefined ? {} : { http: native.http }),
      message: native.message,
    },
    ...(row ? { hint: filled(row.hint, call.offering) } : {}),
  };
  return new ProviderError(fault, { cause: error });
}

function matches(row: ErrorRow, native: NativeError, call: FailedCall): boolean {
  if (row.op !== undefined && row.op !== call.op) return false;
  if (row.http !== undefined && row.http !== native.http) return false;
  if (row.text && !row.text.test(native.message.slice(0, MAX_TEXT))) return false;
  if (row.code === undefined) return true;
  const code = native.code ?? '';
  return typeof row.code === 'string' ? row.code === code : row.code.test(code);
}

function outcomeOf(row: ErrorRow | undefined, native: NativeError, call: FailedCall): Outcome {
  if (!call.creates || native.unsent) return 'not-started';
  return row?.outcome ?? 'unknown';
}

function blockOf(row: ErrorRow | undefined, call: FailedCall): Pick<ProviderFault, 'block' | 'stopRequest'> {
  if (!row || row.scope === 'none') return {};
  if (row.scope === 'request') return { stopRequest: true };
  // A call that names no offering can only speak of the whole cloud.
  if (!call.offering && row.scope !== 'cloud') return {};
  const scope = call.offering ? EXPANSIONS[row.scope](call.offering, call.nodes ?? 1) : {};
  return { block: { scope, ...(row.ttl === undefined ? {} : { ttlSeconds: row.ttl }) } };
}

/** What each scope keeps of the offering that was asked for. */
const EXPANSIONS: Readonly<Record<Exclude<Scope, 'none' | 'request'>, (o: Offering, nodes: number) => BlockScope>> = {
  offering: (o, minNodes) => ({ ...zoneOf(o), instanceType: o.instanceType, market: o.market, minNodes }),
  'type-zone': (o) => ({ ...zoneOf(o), instanceType: o.instanceType }),
  'type-region': (o) => ({ region: o.region, instanceType: o.instanceType }),
  'family-region': (o) => ({ region: o.region, instanceType: familyOf(o.instanceType), market: o.market }),
  'market-region': (o) => ({ region: o.region, market: o.market }),
  zone: zoneOf,
  region: (o) => ({ region: o.region }),
  'type-cloud': (o) => ({ instanceType: o.instanceType }),
  cloud: () => ({}),
};

/** `p5.48xlarge` is of `p5.*`, `a2-highgpu-1g` of `a2-*`; a name without parts is a family of its own. */
function familyOf(instanceType: string): string {
  return instanceType.replace(/^([^.-]+[.-]).*$/, '$1*');
}

function zoneOf({ region, zone }: Offering): BlockScope {
  return zone === undefined ? { region } : { region, zone };
}

function filled(hint: string, offering: Offering | undefined): string {
  const words = {
    region: offering?.region ?? 'the region',
    zone: offering?.zone ?? offering?.region ?? 'the region',
    instanceType: offering?.instanceType ?? 'the type',
  };
  return hint.replace(/\{(region|zone|instanceType)\}/g, (_, key: keyof typeof words) => words[key]);
}
