/** Requests drawn from what the catalogs offer, and the same in SkyPilot's own words. */
import { stringify } from 'yaml';
import type { ResourceAlternative, ResourceRequest } from '../../src/api/types.gen.ts';
import { rank } from '../../src/optimizer/rank.ts';
import type { CloudView, RankInput } from '../../src/optimizer/types.ts';

const SPOT_SHARE = 0.3;
const PIN_SHARE = 0.3;
const ACCELERATOR_SHARE = 0.6;
const LIST_SHARE = 0.2;
const LIST_LENGTH = 3;

/** `count` requests that can be served. */
export function drawRequests(clouds: readonly CloudView[], count: number, random: () => number): ResourceRequest[] {
  const draw = drawer(clouds, random);
  const requests: ResourceRequest[] = [];
  while (requests.length < count) {
    const request = random() < LIST_SHARE ? { anyOf: Array.from({ length: LIST_LENGTH }, draw) } : draw();
    if (rank(inputOf(request, clouds)).outcome === 'Planned') requests.push(request);
  }
  return requests;
}

function drawer(clouds: readonly CloudView[], random: () => number): () => ResourceAlternative {
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const accelerators = clouds.flatMap(({ name, catalog }) =>
    (catalog?.types ?? []).flatMap(({ acceleratorName, acceleratorCount, from }) =>
      acceleratorName === undefined
        ? []
        : { text: `${acceleratorName}:${acceleratorCount}`, infra: `${name}/${regionOf(catalog, from)}` },
    ),
  );
  const size = (): ResourceAlternative => ({
    cpus: pick(['2+', '4', '8+', '16', '64+']),
    ...(random() < 0.5 ? { memory: pick(['8+', '32+', '128']) } : {}),
  });
  const place = (): string => {
    const { name, catalog } = pick(clouds);
    return `${name}/${pick(catalog?.regionNames ?? ['*'])}`;
  };
  return () => {
    const isPinned = random() < PIN_SHARE;
    const spot = random() < SPOT_SHARE ? { useSpot: true } : {};
    if (random() >= ACCELERATOR_SHARE) return { ...size(), ...(isPinned ? { infra: place() } : {}), ...spot };
    const { text, infra } = pick(accelerators);
    return { accelerators: text, ...(isPinned ? { infra } : {}), ...spot };
  };
}

function regionOf(catalog: CloudView['catalog'], row: number): string {
  return catalog?.regionNames[catalog.region[row] ?? 0] ?? '*';
}

export function inputOf(resources: ResourceRequest, clouds: readonly CloudView[]): RankInput {
  return { resources, numNodes: 1, optimize: 'Cost', clouds, exclusions: [], now: 0 };
}

/** One document for each request: a SkyPilot task. */
export function tasksOf(requests: readonly ResourceRequest[]): string {
  return requests.map((request, at) => stringify({ name: `r${at}`, resources: taskResources(request) })).join('---\n');
}

function taskResources({ anyOf, ...request }: ResourceRequest): object {
  const list = anyOf?.map(taskItem);
  return { ...taskItem(request), ...(list ? { any_of: list } : {}) };
}

function taskItem({ useSpot, infra, ...rest }: ResourceAlternative): object {
  return {
    ...rest,
    ...(infra === undefined ? {} : { infra: infra.replace(/^digitalocean/, 'do') }),
    ...(useSpot === undefined ? {} : { use_spot: useSpot }),
  };
}
