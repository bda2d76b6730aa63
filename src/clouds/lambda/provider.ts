import { createHash } from 'node:crypto';
import { ProviderError } from '../contract.ts';
import type {
  CallContext,
  CatalogRow,
  CheckItem,
  CheckReport,
  NodePage,
  NodeProvider,
  ObservedNode,
  PerId,
  ProviderFault,
} from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { restClient } from '../kit/rest.ts';
import { catalogRows } from './catalog.ts';
import { apiKeyOf, LambdaClient } from './client.ts';
import { errors } from './errors.ts';
import { deleteRulesets, ensureRuleset } from './firewall.ts';
import { ensureKey } from './keys.ts';
import { asRead, launch, refuseUnsupported } from './launch.ts';
import type { Prepared } from './launch.ts';
import { capabilities, manifest } from './manifest.ts';
import { observed } from './nodes.ts';
import { terminate } from './terminate.ts';

/** Lambda Cloud. `allowedHosts`: hosts that may be reached by http or at private addresses. */
export function provider(allowedHosts: readonly string[]): NodeProvider {
  const rest = restClient(allowedHosts);
  const clientOf = (cx: CallContext): LambdaClient => new LambdaClient(rest, cx);

  return {
    manifest,
    capabilities: () => capabilities,
    check: (cx) => check(cx, clientOf(cx)),
    async prepare(cx, { owner, region, ports }) {
      const client = clientOf(cx);
      return guarded('prepare', async () => {
        const sshKey = await ensureKey(client, owner.installation);
        const ruleset = ports.length === 0 ? undefined : await ensureRuleset(client, { owner, region, ports });
        return { handle: handleOf({ sshKey, ...(ruleset === undefined ? {} : { ruleset }) }) };
      });
    },
    async launch(cx, request) {
      refuseUnsupported(request);
      const client = clientOf(cx);
      const prepared =
        preparedIn(request.network.handle) ??
        (await asRead(request, async () => ({ sshKey: await ensureKey(client, request.owner.installation) })));
      return launch(cx, client, request, prepared);
    },
    list: (cx, q) => list(cx, clientOf(cx), q),
    get: (cx, ids) => get(clientOf(cx), ids),
    terminate: (cx, ids) => terminate(clientOf(cx), ids),
    setTags: (cx, id, set, unset) => guarded('set_tags', () => setTags(clientOf(cx), { id, set, unset })),
    async cleanup(cx, { owner, region, ordinal }) {
      // A ruleset is its cluster's; the end of one attempt leaves it to the next.
      if (ordinal !== undefined) return { remaining: [] };
      return { remaining: await guarded('cleanup', () => deleteRulesets(clientOf(cx), owner, region)) };
    },
    catalog: (cx, q) => catalog(cx, clientOf(cx), q?.regions),
  };
}

export function handleOf(prepared: Prepared): string {
  return JSON.stringify(prepared);
}

/** Undefined for a launch that nobody has prepared. */
function preparedIn(handle: string | undefined): Prepared | undefined {
  return handle ? (JSON.parse(handle) as Prepared) : undefined;
}

/**
 * Lambda has no call that names the account, so the key stands for it. Two ids that are equal prove that the same key was used, and
 * no more; another key of the same account counts as another account. A hash of a random key tells nothing of it.
 */
export function accountOf(cx: CallContext): string {
  return `key-${createHash('sha256').update(apiKeyOf(cx)).digest('hex').slice(0, 16)}`;
}

async function check(cx: CallContext, client: LambdaClient): Promise<CheckReport> {
  const items: CheckItem[] = [];
  try {
    const id = accountOf(cx);
    items.push(await checkKey(client));
    const display = 'Lambda Cloud, by its API key';
    return { ok: items.every(({ status }) => status !== 'fail'), account: { id, display }, items };
  } catch (error) {
    return { ok: false, items: [failedItem(error)] };
  }
}

/** A key has no scopes to ask for, and an account no quota. Throws where the key opens nothing. */
async function checkKey(client: LambdaClient): Promise<CheckItem> {
  try {
    const types = await client.types();
    return { probe: 'auth', status: 'ok', message: `The key opens an account with ${types.length} types.` };
  } catch (error) {
    const item = failedItem(error);
    if (item.status === 'fail') throw error;
    return item;
  }
}

function failedItem(error: unknown): CheckItem {
  const { fault } = classify(errors, error, { op: 'check', creates: false });
  const hint = fault.hint ?? 'Check spec.endpoint of the SkyCloud, and that the operator may reach it.';
  const message = fault.native?.message ?? fault.class;
  const status = fault.class === 'rate-limit' ? 'warn' : 'fail';
  const probe = fault.class === 'auth' || fault.class === 'billing' ? fault.class : 'reachability';
  return { probe, status, message, hint };
}

/** Pages as they come. What fails, or whose emptiness is not proved, ends the list with a page that proves nothing absent. */
async function* list(
  cx: CallContext,
  client: LambdaClient,
  q: { readonly installation: string; readonly region?: string },
): AsyncIterable<NodePage> {
  let account = '';
  let seen = 0;
  try {
    account = accountOf(cx);
    for (let next: string | undefined; ;) {
      const page = await client.listPage(next);
      seen += page.instances.length;
      next = page.nextPage;
      const complete = seen > 0 || next !== undefined || (await isAlive(client));
      yield { nodes: page.instances.map(observed).filter((node) => isAsked(node, q)), complete, account };
      if (next === undefined) return;
    }
  } catch (error) {
    const { fault } = classify(errors, error, { op: 'list', creates: false });
    cx.log.warn('A list of machines is incomplete.', { fault });
    yield { nodes: [], complete: false, account };
  }
}

/**
 * Whether a key that is shown no machine opens anything at all. Lambda refuses a wrong or revoked key with 401, and nothing else
 * is documented. A key that is answered with nothing everywhere is caught here: every account is shown a price list. What cannot
 * be seen is a key that lost sight of its machines and of nothing else; that our SSH key is missing proves nothing, for people
 * delete keys, and an account that nobody has launched into has none.
 */
async function isAlive(client: LambdaClient): Promise<boolean> {
  return (await client.types()).length > 0;
}

/** The API filters nothing. A machine of ours may have lost its tags, and is then known by its name. */
function isAsked(node: ObservedNode, q: { readonly installation: string; readonly region?: string }): boolean {
  if (q.region !== undefined && node.offering.region !== q.region) return false;
  return node.tags['sky-installation'] === q.installation || node.name.startsWith(`sky-${q.installation}-`);
}

/** One by one: only an answer about one machine says for sure that it is gone. */
async function get(client: LambdaClient, ids: readonly string[]): Promise<PerId<ObservedNode>> {
  const answers = new Map<string, ObservedNode | ProviderFault>();
  for (const id of ids) {
    try {
      answers.set(id, observed(await client.get(id)));
    } catch (error) {
      answers.set(id, classify(errors, error, { op: 'get', creates: false }).fault);
    }
  }
  return answers;
}

/** Lambda replaces the whole set, so what is there is read first. */
async function setTags(
  client: LambdaClient,
  q: { readonly id: string; readonly set: Readonly<Record<string, string>>; readonly unset: readonly string[] },
): Promise<void> {
  const { tags } = await client.get(q.id);
  const kept = Object.entries({ ...tags, ...q.set }).filter(([key]) => !q.unset.includes(key));
  await client.setTags(q.id, Object.fromEntries(kept));
}

async function* catalog(
  cx: CallContext,
  client: LambdaClient,
  regions: readonly string[] | undefined,
): AsyncIterable<CatalogRow> {
  const { rows, unread } = await guarded('catalog', async () =>
    catalogRows(await client.types(), await client.regions()),
  );
  if (unread.length > 0)
    cx.log.warn('Some types of Lambda are listed without their accelerator.', { count: unread.length, types: unread });
  yield* rows.filter(({ region }) => regions === undefined || regions.includes(region));
}

async function guarded<T>(op: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw classify(errors, error, { op, creates: false });
  }
}
