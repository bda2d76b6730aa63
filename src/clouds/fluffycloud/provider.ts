import { ProviderError } from '../contract.ts';
import type {
  CallContext,
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
import { cleanup } from './cleanup.ts';
import { FluffyClient } from './client.ts';
import type { WirePage } from './client.ts';
import { errors } from './errors.ts';
import { launch } from './launch.ts';
import { capabilitiesOf, dialectOf, manifest, profileOf } from './manifest.ts';
import { observed } from './nodes.ts';
import { startVerified } from './start.ts';
import { watch } from './watch.ts';

/** The simulated cloud. `allowedHosts`: hosts that may be reached by http or at private addresses. */
export function provider(allowedHosts: readonly string[]): NodeProvider {
  const rest = restClient(allowedHosts);
  const clientOf = (cx: CallContext): FluffyClient => new FluffyClient(rest, cx);

  return {
    manifest,
    capabilities: (cx) => capabilitiesOf(cx.config),
    check: (cx) => check(cx, clientOf(cx)),
    prepare: async () => ({ handle: '' }),
    launch: (cx, request) => launch(cx, clientOf(cx), request),
    list: (cx, q) => list(cx, clientOf(cx), q.region),
    get: (cx, ids) => get(cx, clientOf(cx), ids),
    terminate: (cx, ids) => perId(ids, 'remove', (id) => remove(clientOf(cx), id)),
    stop: (cx, ids) => perId(ids, 'stop', (id) => accepted(cx, () => clientOf(cx).onInstance('stop', id))),
    start: (cx, ids) => perId(ids, 'start', (id) => accepted(cx, () => start(cx, clientOf(cx), id))),
    setTags: (cx, id, set, unset) => setTags(cx, clientOf(cx), { id, set, unset }),
    cleanup: (cx, q) => guarded('cleanup', () => cleanup(clientOf(cx), q, dialectOf(cx.config))),
    watch: (cx) => watch(cx, clientOf(cx)),
    async *catalog(cx, q) {
      yield* catalogRows(await guarded('catalog', () => clientOf(cx).catalog()), q?.regions);
    },
  };
}

async function check(cx: CallContext, client: FluffyClient): Promise<CheckReport> {
  try {
    const { account, profile } = await client.whoami();
    const wanted = profileOf(cx.config);
    const item: CheckItem =
      profile === wanted
        ? { probe: 'auth', status: 'ok', message: `The key opens account ${account}.` }
        : {
            probe: 'config',
            status: 'fail',
            message: `The server has the profile ${profile}, the SkyCloud says ${wanted}.`,
            hint: `Set spec.config.profile to ${profile}.`,
          };
    return { ok: item.status === 'ok', account: { id: account, display: account }, items: [item] };
  } catch (error) {
    const { fault } = classify(errors, error, { op: 'whoami', creates: false });
    const probe = fault.class === 'auth' ? 'auth' : 'reachability';
    const hint = fault.hint ?? 'Check spec.endpoint of the SkyCloud, and that the operator may reach it.';
    return { ok: false, items: [{ probe, status: 'fail', message: fault.native?.message ?? fault.class, hint }] };
  }
}

/** Pages as they come. What fails, or whose reader is not proved, ends the list with a page that proves nothing absent. */
async function* list(cx: CallContext, client: FluffyClient, region: string | undefined): AsyncIterable<NodePage> {
  let account = '';
  let seen = 0;
  try {
    account = (await client.whoami()).account;
    for (let next: string | undefined; ;) {
      const page = await nextPage(cx, client, region, next);
      seen += page.instances.length;
      next = page.nextPage;
      // A revoked key may be shown an empty list instead of a refusal.
      const proved = seen > 0 || next !== undefined || (await client.whoami()).account === account;
      yield nodePage(page, account, proved);
      if (next === undefined) return;
    }
  } catch (error) {
    cx.log.warn('A list of machines is incomplete.', {
      fault: classify(errors, error, { op: 'list', creates: false }).fault,
    });
    yield { nodes: [], complete: false, account };
  }
}

function nextPage(
  cx: CallContext,
  client: FluffyClient,
  region: string | undefined,
  page: string | undefined,
): Promise<WirePage> {
  return dialectOf(cx.config).isRich ? client.listPage(region, page) : client.listAll();
}

function nodePage(page: WirePage, account: string, proved: boolean): NodePage {
  const missing = page.missingRegions.map((region) => ({ region }));
  return {
    nodes: page.instances.map(observed),
    complete: proved && missing.length === 0,
    ...(missing.length > 0 ? { missing } : {}),
    account,
    ...(page.time === undefined ? {} : { cloudTime: page.time }),
  };
}

async function get(cx: CallContext, client: FluffyClient, ids: readonly string[]): Promise<PerId<ObservedNode>> {
  if (dialectOf(cx.config).isRich) return perId(ids, 'get', async (id) => observed(await client.get(id)));
  const { instances } = await guarded('get', () => client.listAll());
  const known = new Map(instances.map((instance) => [instance.id, observed(instance)]));
  const absent: ProviderFault = { class: 'not-found', outcome: 'not-started', hint: 'The cloud does not list it.' };
  return new Map(ids.map((id) => [id, known.get(id) ?? absent]));
}

async function remove(client: FluffyClient, id: string): Promise<'accepted' | 'gone'> {
  try {
    await client.onInstance('remove', id);
    return 'accepted';
  } catch (error) {
    const failed = classify(errors, error, { op: 'remove', creates: false });
    if (failed.fault.class === 'not-found') return 'gone';
    throw failed;
  }
}

async function accepted(cx: CallContext, call: () => Promise<void>): Promise<'accepted'> {
  if (capabilitiesOf(cx.config).stop === 'none') throw unsupported('This profile cannot stop machines.');
  await call();
  return 'accepted';
}

function unsupported(hint: string): ProviderError {
  return new ProviderError({ class: 'unsupported', outcome: 'not-started', hint });
}

function start(cx: CallContext, client: FluffyClient, id: string): Promise<void> {
  const isLossy = capabilitiesOf(cx.config).stop === 'lossy';
  return isLossy ? startVerified(client, id) : client.onInstance('start', id);
}

async function setTags(
  cx: CallContext,
  client: FluffyClient,
  q: { readonly id: string; readonly set: Readonly<Record<string, string>>; readonly unset: readonly string[] },
): Promise<void> {
  const { atCreate, mutable } = capabilitiesOf(cx.config).tags;
  if (!atCreate && !mutable) throw unsupported('This profile has no tags.');
  const node = (await get(cx, client, [q.id])).get(q.id);
  if (!node || 'class' in node) throw new ProviderError(node ?? { class: 'not-found', outcome: 'not-started' });
  const kept = Object.entries({ ...node.tags, ...q.set }).filter(([key]) => !q.unset.includes(key));
  await guarded('set_tags', () => client.setTags(q.id, Object.fromEntries(kept)));
}

/** One answer or fault per id: a bad id spoils nothing for the others. */
async function perId<T>(ids: readonly string[], op: string, call: (id: string) => Promise<T>): Promise<PerId<T>> {
  const answers = ids.map(async (id): Promise<[string, T | ProviderFault]> => {
    try {
      return [id, await call(id)];
    } catch (error) {
      return [id, classify(errors, error, { op, creates: false }).fault];
    }
  });
  return new Map(await Promise.all(answers));
}

async function guarded<T>(op: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw classify(errors, error, { op, creates: false });
  }
}
