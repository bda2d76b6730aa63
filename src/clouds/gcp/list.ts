import type { BlockScope, NodePage, ObservedNode } from '../contract.ts';
import { array, isObject, object, optional, text, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { classify } from '../kit/classify.ts';
import { operation, regionOf } from './client.ts';
import type { Gcp, Operation } from './client.ts';
import { errors } from './errors.ts';
import { nodeId, slotName } from './names.ts';
import { observed } from './nodes.ts';
import type { Fates } from './nodes.ts';

const PREEMPTED = 'compute.instances.preempted';
const DELETED = 'delete';
/** Google keeps operations for weeks; by this time everybody has learned of a preemption. */
const TOLD_FOR_MS = 3_600_000;
/** Of operations, newest first. They explain, and prove nothing: what is cut off is only not explained. */
const MOST_PAGES = 3;

export interface Asked {
  readonly installation: string;
  readonly region?: string;
}

/** One page of an aggregated list. */
interface Page {
  readonly items: readonly Json[];
  readonly next: string | undefined;
  /** Places that have not answered. */
  readonly missing: readonly BlockScope[];
  /** Places that have answered or not: a list that speaks of none was made of nothing. */
  readonly scopes: number;
}

/**
 * Pages as they come, and what operations tell beside them: which machines were preempted, and which are being deleted. What fails,
 * or whose reader is not proved, ends the list with a page that proves nothing absent.
 */
export async function* list(gcp: Gcp, asked: Asked): AsyncIterable<NodePage> {
  const account = gcp.project;
  try {
    const known = await fatesOf(gcp, asked);
    const seen = { ids: new Set<string>(), scopes: 0 };
    for (let next: string | undefined; ;) {
      const page = await instances(gcp, asked, next);
      const all = page.items.map((item) => observed(item, known.fates));
      for (const { id } of all) seen.ids.add(id);
      seen.scopes += page.scopes;
      next = page.next;
      const nodes = all.filter((node) => isIn(asked, node.offering));
      const missing = page.missing.filter((where) => isIn(asked, where));
      if (next === undefined) {
        nodes.push(...known.told.filter((node) => !seen.ids.has(node.id)));
        yield nodePage({ nodes, missing, account }, await isProved(gcp, seen));
        return;
      }
      yield nodePage({ nodes, missing, account }, true);
    }
  } catch (error) {
    const { fault } = classify(errors, error, { op: 'list', creates: false });
    gcp.cx.log.warn('A list of machines is incomplete.', { fault });
    yield { nodes: [], complete: false, account };
  }
}

function nodePage(
  { nodes, missing, account }: Pick<NodePage, 'nodes' | 'account'> & { readonly missing: readonly BlockScope[] },
  proved: boolean,
): NodePage {
  const complete = proved && missing.length === 0;
  return { nodes, complete, ...(missing.length > 0 ? { missing } : {}), account };
}

/**
 * Whether what was read was the project. A list that speaks of no place was made of nothing; and a credential that has lost the
 * project may be shown an empty one instead of a refusal, so that one is asked again.
 */
async function isProved(
  gcp: Gcp,
  { ids, scopes }: { readonly ids: ReadonlySet<string>; readonly scopes: number },
): Promise<boolean> {
  if (scopes === 0) return false;
  return ids.size > 0 || (await gcp.compute('GET', '')).name === gcp.project;
}

async function instances(gcp: Gcp, { installation }: Asked, page: string | undefined): Promise<Page> {
  return aggregated(gcp, 'instances', { filter: `labels.sky-installation=${installation}` }, page);
}

async function fatesOf(
  gcp: Gcp,
  asked: Asked,
): Promise<{ readonly fates: Fates; readonly told: readonly ObservedNode[] }> {
  const all: Operation[] = [];
  const filter = `(operationType="${PREEMPTED}") OR (operationType="${DELETED}")`;
  let next: string | undefined;
  for (let pages = 0; pages < MOST_PAGES && (pages === 0 || next !== undefined); pages++) {
    const page = await aggregated(gcp, 'operations', { filter, orderBy: 'creationTimestamp desc' }, next);
    all.push(...page.items.map(operation));
    next = page.next;
  }
  const idsOf = (type: string): Set<string> =>
    new Set(all.flatMap((each) => (each.type === type && each.targetId !== undefined ? [each.targetId] : [])));
  const recent = all.filter((each) => each.type === PREEMPTED && isRecent(each, gcp.cx.clock.now()));
  return {
    fates: { preempted: idsOf(PREEMPTED), deleted: idsOf(DELETED) },
    told: recent.flatMap((each) => tombstone(each, asked)),
  };
}

function isRecent({ insertTime }: Operation, now: number): boolean {
  return now - Date.parse(insertTime ?? '') < TOLD_FOR_MS;
}

/**
 * A machine that was preempted and is deleted. Only its name is left of it, which says whose it was; a name of a gang would not say
 * which of the gang it was.
 */
function tombstone({ targetId, targetLink = '' }: Operation, asked: Asked): ObservedNode[] {
  const [, zone = '', native = ''] = /\/zones\/([a-z0-9-]+)\/instances\/([a-z0-9-]+)$/.exec(targetLink) ?? [];
  const { name, launchIndex } = slotName(native);
  const offering = { region: regionOf(zone), zone, instanceType: '', market: 'spot' } as const;
  const isAsked = name.startsWith(`sky-${asked.installation}-`) && isIn(asked, offering);
  if (targetId === undefined || launchIndex !== undefined || !isAsked) return [];
  return [
    {
      id: nodeId(zone, targetId),
      name,
      tags: {},
      state: 'preempted',
      nativeState: 'absent',
      reason: 'Preempted',
      billed: 'none',
      offering,
      address: {},
    },
  ];
}

async function aggregated(
  gcp: Gcp,
  what: string,
  which: Readonly<Record<string, string>>,
  page: string | undefined,
): Promise<Page> {
  const query = new URLSearchParams({
    ...which,
    maxResults: '500',
    returnPartialSuccess: 'true',
    ...optional('pageToken', page),
  });
  const answer = await gcp.compute('GET', `/aggregated/${what}?${query.toString()}`);
  const scopes = Object.entries(object(answer.items ?? {}));
  return {
    items: scopes.flatMap(([, scope]) => array(object(scope)[what] ?? []).map(object)),
    next: textOr(answer.nextPageToken, undefined),
    missing: [
      ...scopes.flatMap(([name, scope]) => (isHarmless(object(scope).warning) ? [] : [placeOf(name)])),
      ...array(answer.unreachables ?? []).map((name) => placeOf(text(name))),
      ...(isHarmless(answer.warning) ? [] : [{}]),
    ],
    scopes: scopes.length,
  };
}

/** Whatever else a warning says may hide machines. */
function isHarmless(warning: unknown): boolean {
  return warning === undefined || (isObject(warning) && warning.code === 'NO_RESULTS_ON_PAGE');
}

/** `zones/us-central1-a`, `regions/us-central1`; all of the project for anything else. */
function placeOf(scope: string): BlockScope {
  const [, kind, place = ''] = /(zones|regions)\/([a-z0-9-]+)$/.exec(scope) ?? [];
  if (kind === 'zones') return { region: regionOf(place), zone: place };
  return kind === 'regions' ? { region: place } : {};
}

function isIn({ region }: Asked, where: BlockScope): boolean {
  return region === undefined || where.region === undefined || where.region === region;
}
