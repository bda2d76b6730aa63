/** Whether the credential of a SkyCloud works, and whose account it opens. */
import type { SkyCloud } from '../../api/types.gen.ts';
import { type CheckReport, type CredentialView, type NodeProvider, ProviderError } from '../../clouds/contract.ts';
import { account } from '../accounts/account.ts';
import { rateBudget } from '../accounts/budget.ts';
import { credentialView, missingKeys } from '../accounts/credentials.ts';
import type { Deps } from '../deps.ts';
import type { CredentialFact } from './decide.ts';
import type { Known } from './known.ts';

/** A credential that works is checked this often, or when Secret or spec changed. */
const CHECK_MS = 900_000;
const CHECK_AGAIN_MS = 30_000;

interface Checking {
  readonly cloud: SkyCloud;
  readonly provider: NodeProvider;
  readonly known: Known;
}

export async function checkCredential(checking: Checking, deps: Deps, signal: AbortSignal): Promise<void> {
  const { cloud, provider, known } = checking;
  const name = cloud.spec.credentialsSecretRef?.name;
  const secret =
    name === undefined ? undefined : await deps.apis.secrets.get({ namespace: deps.config.namespace, name }, signal);
  const credential = credentialView(secret);
  for (const key of [...provider.manifest.secretKeys.required, ...provider.manifest.secretKeys.optional])
    deps.redactor.learn(credential.get(key) ?? '');
  const missing = missingKeys(credential, provider.manifest.secretKeys.required);
  if (missing.length > 0) {
    const where = name === undefined ? undefined : `Secret ${deps.config.namespace}/${name}`;
    known.checked = { at: deps.clock.now(), fact: incomplete(where, secret !== undefined, missing) };
    return;
  }
  const key = `${cloud.metadata.generation ?? 0} ${credential.fingerprint}`;
  if (known.key === key && !isDue(known, deps.clock.now())) return;
  await check(checking, { credential, isNew: known.key !== key }, deps, signal);
  known.key = key;
}

function incomplete(where: string | undefined, exists: boolean, missing: readonly string[]): CredentialFact {
  const keys = missing.join(', ');
  if (where === undefined) {
    return {
      kind: 'Missing',
      reason: 'SecretMissing',
      message: `spec.credentialsSecretRef is not set; name a Secret with the key(s) ${keys}`,
    };
  }
  return exists
    ? { kind: 'Missing', reason: 'SecretIncomplete', message: `${where} lacks the key(s) ${keys}` }
    : {
        kind: 'Missing',
        reason: 'SecretMissing',
        message: `${where} does not exist; create it with the key(s) ${keys}`,
      };
}

function isDue({ checked }: Known, now: number): boolean {
  const fine = checked?.fact.kind === 'Checked' && checked.fact.report.ok;
  return now - (checked?.at ?? 0) >= (fine ? CHECK_MS : CHECK_AGAIN_MS);
}

interface Candidate {
  readonly credential: CredentialView;
  /** Another credential or spec than at the last check. */
  readonly isNew: boolean;
}

async function check(
  { cloud, provider, known }: Checking,
  candidate: Candidate,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const budget = rateBudget(provider.manifest.limits, deps.clock);
  const probe = account(
    { cloud, provider, credential: candidate.credential, budget, id: '', regions: [] },
    deps.accountDeps,
  );
  const regions = cloud.spec.regions ? { regions: cloud.spec.regions } : {};
  try {
    const report = await probe.call('check', (cx) => provider.check(cx, regions), signal);
    known.checked = { at: deps.clock.now(), fact: { kind: 'Checked', report } };
    if (candidate.isNew || !known.account) adopt({ cloud, provider, known }, { ...candidate, report }, deps);
  } catch (error) {
    known.checked = { at: deps.clock.now(), fact: { kind: 'Failed', message: failure(error) } };
  }
}

function failure(error: unknown): string {
  const hint = error instanceof ProviderError ? (error.fault.hint ?? '') : '';
  return `the cloud could not be asked: ${error instanceof Error ? error.message : String(error)} ${hint}`.trim();
}

/** A credential that failed replaces nothing: the last one that worked is kept, to list and end what runs. */
function adopt(
  { cloud, provider, known }: Checking,
  found: Candidate & { readonly report: CheckReport },
  deps: Deps,
): void {
  const id = found.report.account?.id;
  if (id === undefined || !found.report.ok) return;
  const budget = rateBudget(provider.manifest.limits, deps.clock);
  const regions = known.account?.regions ?? [];
  known.account = account({ cloud, provider, credential: found.credential, budget, id, regions }, deps.accountDeps);
}
