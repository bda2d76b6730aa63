/** Whether the credential of a SkyCloud works, and whose account it opens. */
import type { SkyCloud } from '../../api/types.gen.ts';
import {
  type CheckItem,
  type CheckReport,
  type CredentialView,
  type NodeProvider,
  ProviderError,
} from '../../clouds/contract.ts';
import type { Secret } from '../../kube/resources.ts';
import { account } from '../accounts/account.ts';
import { rateBudget } from '../accounts/budget.ts';
import { credentialView, missingKeys } from '../accounts/credentials.ts';
import type { Deps } from '../deps.ts';
import type { CredentialFact } from './decide.ts';
import type { Known } from './known.ts';

/** A credential that works is checked this often, or when Secret or spec changed. */
const CHECK_MS = 900_000;
const CHECK_AGAIN_MS = 30_000;
/** Between two checks of one that is suspected to work no more. */
const SUSPECT_MS = 10_000;

interface Checking {
  readonly cloud: SkyCloud;
  readonly provider: NodeProvider;
  readonly known: Known;
}

export async function checkCredential(checking: Checking, deps: Deps, signal: AbortSignal): Promise<void> {
  const { cloud, provider, known } = checking;
  const secret = await readSecret(cloud, deps, signal);
  const credential = credentialView(secret);
  learnSecrets(secret, credential, checking, deps);
  const lacking = whatIsMissing(checking, secret, credential, deps.config.namespace);
  if (lacking) {
    known.checked = { at: deps.clock.now(), fact: lacking };
    return;
  }
  const key = `${cloud.metadata.generation ?? 0} ${credential.fingerprint}`;
  const isSuspect = deps.registry.isSuspect(cloud.metadata.name);
  if (known.key === key && !isDue(known, isSuspect, deps.clock.now())) return;
  const remarks = unknownKeys(secret, provider.manifest);
  await check(checking, { credential, remarks, isNew: known.key !== key }, deps, signal);
  known.key = key;
  deps.registry.clear(cloud.metadata.name);
}

/** Also keys that nobody knows: what stands in a Secret is shown to nobody. */
function learnSecrets(secret: Secret | undefined, view: CredentialView, { provider }: Checking, deps: Deps): void {
  const { plain = [] } = provider.manifest.secretKeys;
  const hidden = Object.keys(secret?.data ?? {}).filter((key) => !plain.includes(key));
  for (const key of hidden) deps.redactor.learn(view.get(key) ?? '');
}

async function readSecret(cloud: SkyCloud, deps: Deps, signal: AbortSignal): Promise<Secret | undefined> {
  const name = cloud.spec.credentialsSecretRef?.name;
  return name === undefined ? undefined : deps.apis.secrets.get({ namespace: deps.config.namespace, name }, signal);
}

function whatIsMissing(
  { cloud, provider }: Checking,
  secret: Secret | undefined,
  credential: CredentialView,
  namespace: string,
): CredentialFact | undefined {
  const { required, optional, ambient } = provider.manifest.secretKeys;
  const missing = missingKeys(credential, required);
  const name = cloud.spec.credentialsSecretRef?.name;
  // A Secret may also say only which role the identity of the pod takes on.
  const mayBeBare = ambient === true && missing.length === required.length;
  if (mayBeBare && (name === undefined || secret)) return undefined;
  if (missing.length === 0 && secret) return undefined;
  const where = name === undefined ? undefined : `Secret ${namespace}/${name}`;
  return incomplete(where, secret !== undefined, missing.length > 0 ? missing : optional);
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

function isDue({ checked }: Known, isSuspect: boolean, now: number): boolean {
  const fine = checked?.fact.kind === 'Checked' && checked.fact.report.ok;
  const restMs = isSuspect ? SUSPECT_MS : fine ? CHECK_MS : CHECK_AGAIN_MS;
  return now - (checked?.at ?? 0) >= restMs;
}

/** A mistyped optional key would otherwise be ignored without a word. */
function unknownKeys(secret: Secret | undefined, { name, secretKeys }: NodeProvider['manifest']): CheckItem[] {
  const known = [...secretKeys.required, ...secretKeys.optional];
  const unknown = Object.keys(secret?.data ?? {}).filter((key) => !known.includes(key));
  if (unknown.length === 0) return [];
  const message = `The Secret has the key(s) ${unknown.join(', ')}, which ${name} does not use; it knows ${known.join(', ')}.`;
  return [{ probe: 'auth', status: 'warn', message }];
}

interface Candidate {
  readonly credential: CredentialView;
  /** About the Secret itself. */
  readonly remarks: readonly CheckItem[];
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
    const checked = await probe.call('check', (cx) => provider.check(cx, regions), signal);
    const report = { ...checked, items: [...checked.items, ...candidate.remarks] };
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
