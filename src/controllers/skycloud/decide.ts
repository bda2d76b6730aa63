/** What a SkyCloud's status says of what was found. Pure. */
import type { SkyCloud, SkyCloudStatus } from '../../api/types.gen.ts';
import type { CheckItem, CheckReport } from '../../clouds/contract.ts';
import type { NewCondition } from '../../kube/conditions.ts';
import type { Orphans } from '../deps.ts';

type Verdict = readonly [status: 'True' | 'False' | 'Unknown', reason: string, message: string];

export type CatalogFact =
  | { readonly kind: 'Fresh'; readonly status: NonNullable<SkyCloudStatus['catalog']>; readonly skipped: number }
  /** The last good one goes on being used. */
  | {
      readonly kind: 'Stale' | 'Rejected';
      readonly message: string;
      readonly status: NonNullable<SkyCloudStatus['catalog']>;
    }
  | { readonly kind: 'None'; readonly message: string };

export type CredentialFact =
  | { readonly kind: 'Checked'; readonly report: CheckReport }
  | { readonly kind: 'Missing'; readonly reason: 'SecretMissing' | 'SecretIncomplete'; readonly message: string }
  | { readonly kind: 'Failed'; readonly message: string };

export interface CloudFacts {
  readonly cloud: SkyCloud;
  /** `spec.<path>: <what is wrong>; <remedy>`, or undefined. */
  readonly invalid: string | undefined;
  readonly credential: CredentialFact | undefined;
  readonly catalog: CatalogFact;
  /** SkyClusters that have machines or an open attempt here. */
  readonly users: readonly string[];
  readonly nodes: NonNullable<SkyCloudStatus['nodes']>;
  readonly hourlyPrice: string;
  readonly exclusions: SkyCloudStatus['exclusions'];
  readonly orphans: Orphans | undefined;
}

export interface CloudDecision {
  readonly status: Omit<SkyCloudStatus, 'conditions'>;
  readonly conditions: readonly NewCondition[];
  readonly launchable: boolean;
}

export function decideCloud(facts: CloudFacts): CloudDecision {
  const parts = verdictsOf(facts);
  const ready = readyOf(facts, parts);
  const observedGeneration = facts.cloud.metadata.generation ?? 0;
  const abnormal: [string, Verdict][] = [
    ...progressOf(facts, ready),
    ...(facts.orphans ? [['LeakSuspected', leakVerdict(facts.orphans)] as [string, Verdict]] : []),
  ];
  const all: [string, Verdict][] = [...Object.entries(parts), ...abnormal, ['Ready', ready]];
  return {
    status: statusOf(facts, observedGeneration),
    conditions: all.map(([type, [status, reason, message]]) => ({ type, status, observedGeneration, reason, message })),
    launchable: ready[0] === 'True',
  };
}

/** A cloud that is not Ready is looked at again, except one that is wrong as written, or rests as asked. */
function progressOf({ invalid }: CloudFacts, [status, reason, message]: Verdict): [string, Verdict][] {
  if (invalid !== undefined) return [['Stalled', ['True', 'InvalidInput', invalid]]];
  return status === 'True' || reason === 'Suspended' ? [] : [['Reconciling', ['True', reason, message]]];
}

function statusOf(facts: CloudFacts, observedGeneration: number): CloudDecision['status'] {
  const account = facts.credential?.kind === 'Checked' ? facts.credential.report.account : facts.cloud.status?.account;
  return {
    observedGeneration,
    ...(account ? { account: { ...account } } : {}),
    ...(facts.catalog.kind === 'None' ? {} : { catalog: facts.catalog.status }),
    nodes: facts.nodes,
    hourlyPrice: facts.hourlyPrice,
    ...(facts.exclusions ? { exclusions: facts.exclusions } : {}),
    orphans: facts.orphans?.count ?? 0,
  };
}

type Parts = Readonly<Record<'CredentialsValid' | 'PermissionsSufficient' | 'CatalogFresh', Verdict>>;

const UNKNOWN: Verdict = ['Unknown', 'AwaitingReconciliation', 'not looked at yet'];

function verdictsOf(facts: CloudFacts): Parts {
  return {
    CredentialsValid: credentialVerdict(facts.credential),
    PermissionsSufficient: permissionVerdict(facts.credential),
    CatalogFresh: catalogVerdict(facts.catalog),
  };
}

function credentialVerdict(fact: CredentialFact | undefined): Verdict {
  if (!fact) return UNKNOWN;
  if (fact.kind === 'Missing') return ['False', fact.reason, fact.message];
  if (fact.kind === 'Failed') return ['Unknown', 'CloudUnreachable', fact.message];
  const failed = fact.report.items.find((item) => item.status === 'fail' && AUTH.has(item.probe));
  if (failed) return ['False', REASON_OF_PROBE[failed.probe], textOf(failed)];
  const warned = fact.report.items.filter(({ status, probe }) => status === 'warn' && AUTH.has(probe)).map(textOf);
  const account = `account ${fact.report.account?.display ?? fact.report.account?.id ?? '?'}`;
  return ['True', 'CredentialsValid', [account, ...warned].join('; ')];
}

/** What says something of the credential itself; the rest is about what it may do. */
const AUTH = new Set<CheckItem['probe']>(['reachability', 'auth', 'config']);

const REASON_OF_PROBE: Readonly<Record<CheckItem['probe'], string>> = {
  reachability: 'CloudUnreachable',
  auth: 'CredentialsInvalid',
  config: 'ConfigInvalid',
  permission: 'PermissionDenied',
  billing: 'BillingBlocked',
  quota: 'NoQuota',
  network: 'ConfigInvalid',
  image: 'ConfigInvalid',
};

function permissionVerdict(fact: CredentialFact | undefined): Verdict {
  if (fact?.kind !== 'Checked') return UNKNOWN;
  const wrong = fact.report.items.filter((item) => !AUTH.has(item.probe));
  const failed = wrong.find((item) => item.status === 'fail');
  if (failed) return ['False', REASON_OF_PROBE[failed.probe], textOf(failed)];
  const warned = wrong.filter((item) => item.status === 'warn').map(textOf);
  return [
    'True',
    'PermissionsSufficient',
    warned.length > 0 ? warned.join(' ') : 'all rights that launches need are there',
  ];
}

function catalogVerdict(fact: CatalogFact): Verdict {
  switch (fact.kind) {
    case 'Fresh':
      return [
        'True',
        'CatalogRefreshed',
        `${fact.status.rows ?? 0} offerings${fact.skipped > 0 ? `, ${fact.skipped} rows left out as invalid` : ''}`,
      ];
    case 'Stale':
    case 'Rejected':
      return [
        'False',
        fact.kind === 'Stale' ? 'CatalogStale' : 'CatalogRejected',
        `${fact.message}; the catalog of ${fact.status.refreshedAt ?? 'before'} goes on being used`,
      ];
    case 'None':
      return ['False', 'NoCatalog', fact.message];
    default:
      return fact satisfies never;
  }
}

function readyOf(facts: CloudFacts, parts: Parts): Verdict {
  if (facts.invalid !== undefined) return ['False', 'InvalidInput', facts.invalid];
  if (facts.cloud.metadata.deletionTimestamp) return ['False', 'InUse', inUse(facts.users)];
  for (const verdict of [parts.CredentialsValid, parts.PermissionsSufficient]) {
    if (verdict[0] !== 'True') return verdict;
  }
  if (facts.catalog.kind === 'None') return parts.CatalogFresh;
  if (facts.cloud.spec.suspend === true)
    return ['False', 'Suspended', 'spec.suspend is true: nothing is launched, what runs is left alone'];
  return ['True', 'Ready', 'machines can be rented here'];
}

function inUse(users: readonly string[]): string {
  const shown = users.slice(0, 5).join(', ');
  const more = users.length > 5 ? ` and ${users.length - 5} more` : '';
  return users.length > 0 ? `still used by ${shown}${more}; delete them first` : 'being deleted';
}

function leakVerdict({ count, braked }: Orphans): Verdict {
  const found = `${count} machine(s) carry our key but no SkyCluster accounts for them`;
  if (!braked) return ['True', 'OrphansFound', `${found}; they are ended when two sweeps agree`];
  const remedy = `to end exactly these set the annotation sky-operator.dev/confirm-sweep: ${braked.hash}`;
  return ['True', 'SweepBraked', `${found}; nothing is ended, for ${braked.reason}; ${remedy}`];
}

function textOf(item: CheckItem): string {
  return [item.region ? `${item.region}:` : '', item.message, item.hint ?? ''].filter(Boolean).join(' ');
}
