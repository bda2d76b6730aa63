import type { CallContext, NodePage, NodeProvider, PerId, ProviderFault } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { NativeError, restClient } from '../kit/rest.ts';
import { check } from './check.ts';
import { catalog } from './catalog.ts';
import { Gcp } from './client.ts';
import { errors } from './errors.ts';
import { guarded } from './fault.ts';
import { launch, refuseUnsupported } from './launch.ts';
import { list } from './list.ts';
import type { Asked } from './list.ts';
import { capabilities, manifest } from './manifest.ts';
import { parseNodeId } from './names.ts';
import { deletePorts, ensurePorts, isPrepared, prepare } from './network.ts';
import type { Prepared } from './network.ts';
import { observed } from './nodes.ts';
import { Tokens } from './tokens.ts';

/** Google Compute Engine. `allowedHosts`: hosts that may be reached by http or at private addresses. */
export function provider(allowedHosts: readonly string[]): NodeProvider {
  const rest = restClient(allowedHosts);
  const tokens = new Tokens(allowedHosts);
  const open = (cx: CallContext): Gcp => new Gcp(rest, tokens, cx);

  return {
    manifest,
    capabilities: () => capabilities,
    check: (cx) => check(cx, () => open(cx)),
    prepare: (cx, q) => guarded('prepare', async () => ({ handle: JSON.stringify(await prepare(open(cx), q)) })),
    ensurePorts: (cx, q) => guarded('prepare', () => ensurePorts(open(cx), q)),
    async launch(cx, request) {
      refuseUnsupported(request);
      const { owner, offering, network } = request;
      const { gcp, prepared } = await guarded('prepare', async () => {
        const opened = open(cx);
        const wanted = { owner, region: offering.region, ports: network.ports };
        const zone = offering.zone === undefined ? {} : { zone: offering.zone };
        return { gcp: opened, prepared: preparedIn(network.handle) ?? (await prepare(opened, { ...wanted, ...zone })) };
      });
      return launch(gcp, request, prepared);
    },
    list: (cx, q) => listed(cx, () => open(cx), q),
    get: (cx, ids) => each(cx, open, ids, async ({ gcp, path }) => observed(await gcp.compute('GET', path))),
    terminate: (cx, ids) => terminate(cx, open, ids),
    stop: (cx, ids) => each(cx, open, ids, ({ gcp, path }) => accepted(gcp, `${path}/stop?discardLocalSsd=false`)),
    start: (cx, ids) => each(cx, open, ids, ({ gcp, path }) => accepted(gcp, `${path}/start`)),
    async cleanup(cx, { owner, ordinal }) {
      // The rule is its cluster's; the end of one attempt leaves it to the next.
      if (ordinal === undefined) await guarded('cleanup', async () => deletePorts(open(cx), owner));
      return { remaining: [] };
    },
    catalog: (cx, q) => catalog(cx, () => open(cx), q?.regions),
  };
}

/** Undefined for a launch that nobody has prepared. */
function preparedIn(handle: string | undefined): Prepared | undefined {
  const value: unknown = handle ? JSON.parse(handle) : undefined;
  return isPrepared(value) ? value : undefined;
}

/** A credential that cannot even be read shows nothing, and proves nothing absent. */
async function* listed(cx: CallContext, open: () => Gcp, asked: Asked): AsyncIterable<NodePage> {
  let gcp: Gcp;
  try {
    gcp = open();
  } catch (error) {
    const { fault } = classify(errors, error, { op: 'list', creates: false });
    cx.log.warn('A list of machines is incomplete.', { fault });
    yield { nodes: [], complete: false, account: '' };
    return;
  }
  yield* list(gcp, asked);
}

interface Target {
  readonly gcp: Gcp;
  /** Of the machine, below the project. */
  readonly path: string;
}

/** One answer or fault per id: a bad id spoils nothing for the others. */
async function each<T>(
  cx: CallContext,
  open: (cx: CallContext) => Gcp,
  ids: readonly string[],
  run: (target: Target) => Promise<T>,
): Promise<PerId<T>> {
  const answers = ids.map(async (id): Promise<[string, T | ProviderFault]> => {
    try {
      const parsed = parseNodeId(id);
      if (!parsed) throw new NativeError('no machine of Google is called that', { http: 404, unsent: true });
      return [id, await run({ gcp: open(cx), path: `/zones/${parsed.zone}/instances/${parsed.id}` })];
    } catch (error) {
      return [id, classify(errors, error, { op: 'instance', creates: false }).fault];
    }
  });
  return new Map(await Promise.all(answers));
}

async function terminate(
  cx: CallContext,
  open: (cx: CallContext) => Gcp,
  ids: readonly string[],
): Promise<PerId<'accepted' | 'gone'>> {
  const answers = await each(cx, open, ids, async ({ gcp, path }) => {
    await gcp.operation('DELETE', path);
    return 'accepted' as const;
  });
  return new Map(
    [...answers].map(([id, answer]) => [
      id,
      typeof answer === 'object' && answer.class === 'not-found' ? ('gone' as const) : answer,
    ]),
  );
}

async function accepted(gcp: Gcp, path: string): Promise<'accepted'> {
  await gcp.operation('POST', path);
  return 'accepted';
}
