/** What a closed attempt leaves behind: its outcome, words for people, and what is not tried for a while. */
import type { AttemptRecord, Exclusion, Placement } from '../api/types.gen.ts';
import type { BlockScope, ErrorClass, ProviderFault } from '../clouds/contract.ts';
import type { Cause } from './attempt.ts';

export interface Closing {
  readonly outcome: NonNullable<AttemptRecord['outcome']>;
  /** CamelCase, a reason of the condition Provisioned too. */
  readonly reason: string;
  readonly message: string;
  readonly exclusion?: Exclusion;
  /** No candidate anywhere can succeed: the request itself is wrong. */
  readonly stop?: boolean;
}

interface Ended {
  readonly cause: Cause;
  readonly placement: Placement;
  readonly nodes: number;
  /** Machines that existed at some time. */
  readonly created: number;
  readonly now: number;
  /** Closed attempts of this object, newest first: a place that failed before is left alone for longer. */
  readonly before: readonly AttemptRecord[];
}

export function closing(ended: Ended): Closing {
  const { cause, placement, created } = ended;
  const where = placeText(placement);
  switch (cause.kind) {
    case 'Cancelled':
      return {
        outcome: 'Cancelled',
        reason: cause.reason,
        message: cause.reason === 'Deleted' ? 'the object was deleted' : 'the spec was changed',
      };
    case 'Refused':
      return refused(ended, cause.fault, where);
    case 'TimedOut':
      return excluding(ended, {
        outcome: created > 0 && created < ended.nodes ? 'PartialGang' : 'TimedOut',
        reason: 'BootTimedOut',
        message: `machines in ${where} did not run in time`,
        rule: BOOT_TIMED_OUT,
      });
    case 'Unreachable':
      return excluding(ended, {
        outcome: 'Unreachable',
        reason: cause.probe ? 'ProbeFailed' : 'Unreachable',
        message: cause.message,
        rule: UNREACHABLE,
      });
    case 'EndedItself':
      return cause.preempted
        ? excluding(ended, {
            outcome: 'Preempted',
            reason: 'Preempted',
            message: `${where} took a machine back`,
            rule: PREEMPTED,
          })
        : excluding(ended, {
            outcome: 'Lost',
            reason: 'EndedWhileBooting',
            message: `a machine in ${where} ended while booting`,
            rule: BOOT_TIMED_OUT,
          });
    case 'Absent':
      return {
        outcome: 'ProvenAbsent',
        reason: 'NothingCreated',
        message: `the launch in ${where} had created nothing`,
      };
    default:
      return cause satisfies never;
  }
}

function refused(ended: Ended, fault: ProviderFault, where: string): Closing {
  const reason = REASON_OF_CLASS[fault.class];
  const message = [`${where}: ${fault.native?.message ?? fault.class}`, fault.hint]
    .filter(Boolean)
    .join('; ')
    .replace(/\.$/, '');
  const outcome = ended.created > 0 ? 'PartialGang' : 'NotStarted';
  if (fault.stopRequest) return { outcome, reason: 'InvalidInput', message, stop: true };
  const rule = fault.block
    ? {
        scope: () => fault.block?.scope ?? {},
        ttl: fault.block.ttlSeconds ?? RULES[fault.class].ttl,
        cap: RULES[fault.class].cap,
      }
    : RULES[fault.class];
  return excluding(ended, { outcome, reason, message, rule });
}

/** Reasons that a refusal gives the condition Provisioned; messages of failed searches count them. */
export const REASON_OF_CLASS: Readonly<Record<ErrorClass, string>> = {
  capacity: 'NoCapacity',
  quota: 'NoQuota',
  auth: 'CredentialsInvalid',
  permission: 'PermissionDenied',
  billing: 'BillingBlocked',
  invalid: 'Refused',
  unsupported: 'Unsupported',
  'rate-limit': 'RateLimited',
  transient: 'TransientErrors',
  'not-found': 'Refused',
  conflict: 'Conflict',
};

/** Seconds, doubled each time the same place fails for the same reason again. */
interface ExclusionRule {
  readonly scope: (placement: Placement) => BlockScope;
  readonly ttl: number;
  readonly cap: number;
}

const offering = (p: Placement): BlockScope => ({
  ...(p.region ? { region: p.region } : {}),
  ...(p.zone ? { zone: p.zone } : {}),
  ...(p.instanceType ? { instanceType: p.instanceType } : {}),
  ...(p.market ? { market: p.market } : {}),
});
const typeInPlace = (p: Placement): BlockScope => {
  const { market: _, ...scope } = offering(p);
  return scope;
};
const wholeCloud = (): BlockScope => ({});

const BOOT_TIMED_OUT: ExclusionRule = { scope: offering, ttl: 600, cap: 3_600 };
const UNREACHABLE: ExclusionRule = { scope: offering, ttl: 300, cap: 3_600 };
const PREEMPTED: ExclusionRule = { scope: offering, ttl: 600, cap: 3_600 };

const RULES: Readonly<Record<ErrorClass, ExclusionRule>> = {
  capacity: { scope: offering, ttl: 300, cap: 3_600 },
  quota: { scope: offering, ttl: 600, cap: 3_600 },
  auth: { scope: wholeCloud, ttl: 900, cap: 900 },
  permission: { scope: wholeCloud, ttl: 1_800, cap: 1_800 },
  billing: { scope: wholeCloud, ttl: 3_600, cap: 3_600 },
  invalid: { scope: typeInPlace, ttl: 86_400, cap: 86_400 },
  unsupported: { scope: typeInPlace, ttl: 86_400, cap: 86_400 },
  'rate-limit': { scope: offering, ttl: 120, cap: 900 },
  transient: { scope: offering, ttl: 120, cap: 900 },
  'not-found': { scope: offering, ttl: 120, cap: 900 },
  conflict: { scope: offering, ttl: 120, cap: 900 },
};

function excluding(ended: Ended, close: Omit<Closing, 'exclusion'> & { readonly rule: ExclusionRule }): Closing {
  const { rule, ...closing } = close;
  const { minNodes: _, accelerator, ...scope } = rule.scope(ended.placement);
  const repeats = ended.before.filter(
    (old) => samePlace(old.placement, ended.placement) && old.reason === closing.reason,
  ).length;
  const seconds = Math.min(rule.ttl * 2 ** repeats, rule.cap);
  const exclusion: Exclusion = {
    ...(ended.placement.cloud ? { cloud: ended.placement.cloud } : {}),
    ...scope,
    ...(accelerator ? { accelerators: accelerator } : {}),
    reason: closing.reason,
    expiresAt: new Date(ended.now + seconds * 1_000).toISOString(),
  };
  return { ...closing, exclusion };
}

function samePlace(a: Placement | undefined, b: Placement): boolean {
  return a?.infra === b.infra && a?.instanceType === b.instanceType && a?.market === b.market;
}

export function placeText(placement: Placement): string {
  return `${placement.infra ?? '-'} ${placement.instanceType ?? '-'} ${placement.market ?? '-'}`;
}
