import type { CatalogRow } from '../../../cloudsim/catalog.ts';
import { drawHex } from '../../../cloudsim/draw.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { Instance, InstanceState } from '../../../cloudsim/instance.ts';
import { freeIn } from '../../../cloudsim/room.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';

/** Simulated seconds from the boot until a machine shows its address. */
const LATE_IP_SECONDS = 5;
/** Every machine whose id draws this digit never shows a private address. */
const NO_PRIVATE_IP = '0';
const STORAGE_GIB = 1024;

/** Words for what a machine does; what the API has no word for is unhealthy. */
const STATUS: Readonly<Record<InstanceState, string>> = {
  pending: 'booting',
  running: 'active',
  stopping: 'unhealthy',
  stopped: 'unhealthy',
  terminating: 'terminating',
  terminated: 'terminated',
  preempted: 'preempted',
  failed: 'terminated',
};

export function list(call: Call): Operation {
  return plainly(subjectOf(call, {}), () => {
    const { pageSize } = call.cloud.options;
    const page = Number(call.request.query.get('page_token') ?? 0);
    const all = visible(call);
    const shown = all.slice(page * pageSize, (page + 1) * pageSize).map((instance) => wireInstance(call, instance));
    return { data: shown, ...(all.length > (page + 1) * pageSize ? { page_token: String(page + 1) } : {}) };
  });
}

export function getOne(call: Call): Operation {
  const id = idInPath(call);
  return plainly(subjectOf(call, { name: call.cloud.world.find(id)?.name }), () => {
    const found = visible(call).find((instance) => instance.id === id);
    if (!found) throw new ApiError('NotFound', 'Specified instance does not exist.');
    return { data: wireInstance(call, found) };
  });
}

/** Capacity as it is now; by the time of a launch it may be gone. */
export function types(call: Call): unknown {
  const { catalog } = call.cloud.options;
  if (isHollow(call)) return { data: {} };
  const byType = Map.groupBy(catalog, (row) => row.InstanceType);
  const data = [...byType].map(([name, rows]) => [name, wireType(call, name, rows)]);
  return { data: Object.fromEntries(data) };
}

export function regions(call: Call): unknown {
  const names = new Set(call.cloud.options.catalog.map((row) => row.Region));
  return { data: isHollow(call) ? [] : [...names].map(place) };
}

/** Everything of a kind that the account has, as it was put there. */
export function things(kind: string) {
  return (call: Call): unknown => {
    const { account } = call.credential;
    return { data: isHollow(call) ? [] : call.cloud.world.things(account, kind).map((thing) => thing.data) };
  };
}

export function idInPath({ request }: Call): string {
  return decodeURIComponent(request.path.split('/').at(-1) ?? '');
}

function wireType({ cloud }: Call, name: string, rows: readonly CatalogRow[]) {
  const [row] = rows;
  const withCapacity = rows.filter((each) => !cloud.outages.has(each.Region) && freeIn(cloud, each, 'on-demand') > 0);
  return {
    instance_type: {
      name,
      description: row?.AcceleratorCount ? `${row.AcceleratorCount}x ${row.GpuInfo}` : '',
      gpu_description: row?.GpuInfo,
      price_cents_per_hour: Math.round((row?.Price ?? 0) * 100),
      specs: {
        vcpus: row?.vCPUs,
        memory_gib: row?.MemoryGiB,
        storage_gib: STORAGE_GIB,
        gpus: row?.AcceleratorCount,
      },
    },
    regions_with_capacity_available: withCapacity.map((each) => place(each.Region)),
  };
}

/** What is over drops off the list, but for what the cloud took back. */
function visible(call: Call): Instance[] {
  if (isHollow(call)) return [];
  const shown = call.cloud.world.view(call.credential.account);
  return shown.filter(({ state }) => state !== 'terminated' && state !== 'failed');
}

function wireInstance(call: Call, instance: Instance): Record<string, unknown> {
  const { id, name, state, tags, region, instanceType, sshKeyName, address, impaired, createdAt } = instance;
  const { cloud } = call;
  const isLate = cloud.timeline.now() < createdAt + (cloud.options.bootSeconds + LATE_IP_SECONDS) * 1000;
  const ip = isLate ? undefined : address?.ip;
  const hasPrivateIp = drawHex(1, cloud.options.seed, 'private-ip', id) !== NO_PRIVATE_IP;
  return {
    id,
    name,
    hostname: name,
    status: impaired && state === 'running' ? 'unhealthy' : STATUS[state],
    ...(ip === undefined ? {} : { ip, ...(hasPrivateIp ? { private_ip: ip } : {}) }),
    ssh_key_names: [sshKeyName],
    file_system_names: [],
    region: place(region),
    instance_type: { name: instanceType },
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    is_reserved: false,
  };
}

function isHollow({ credential }: Call): boolean {
  return credential.state === 'hollow';
}

function place(name: string): Record<string, string> {
  return { name, description: name };
}
