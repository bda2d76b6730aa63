import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { Instance, InstanceState } from '../../../cloudsim/instance.ts';
import { isOver } from '../../../cloudsim/instance.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { linkTo, partsOf } from './links.ts';
import { shown } from './operation.ts';

/** Google's words. TERMINATED means stopped; what is over is not shown at all. */
const STATUS: Readonly<Record<InstanceState, string>> = {
  pending: 'PROVISIONING',
  running: 'RUNNING',
  stopping: 'STOPPING',
  stopped: 'TERMINATED',
  terminating: 'STOPPING',
  terminated: 'TERMINATED',
  preempted: 'TERMINATED',
  failed: 'TERMINATED',
};

export function aggregatedInstances(call: Call): Operation {
  return plainly(subjectOf(call, {}), () => {
    const { cloud, credential, request } = call;
    // An answer that speaks of no place at all, as a credential without the project would get.
    if (credential.state === 'hollow') return { kind: 'compute#instanceAggregatedList', items: {} };
    const { pageSize } = cloud.options;
    const page = Number(request.query.get('pageToken') ?? 0);
    const [, key = '', value = ''] = /^labels\.([a-z-]+)=(.*)$/.exec(request.query.get('filter') ?? '') ?? [];
    const all = cloud.world
      .view(credential.account)
      .filter(({ tags, region }) => tags[key] === value && !cloud.outages.has(region));
    const listed = all.slice(page * pageSize, (page + 1) * pageSize);
    const scopes = zonesOf(call).map((zone) => [`zones/${zone}`, scopeOf(call, zone, listed)]);
    return {
      kind: 'compute#instanceAggregatedList',
      items: Object.fromEntries(scopes),
      ...(all.length > (page + 1) * pageSize ? { nextPageToken: String(page + 1) } : {}),
    };
  });
}

/** Preemptions and deletions only: nobody asks for others. */
export function aggregatedOperations(call: Call): Operation {
  return plainly(subjectOf(call, {}), () => {
    const { cloud, credential } = call;
    if (credential.state === 'hollow') return { items: {} };
    const own = cloud.world.all().filter(({ account }) => account === credential.account);
    const operations = own.flatMap((instance) => fateOf(call, instance));
    const byZone = Object.groupBy(operations, ({ zone }) => `zones/${zone}`);
    const items = Object.entries(byZone).map(([zone, list]) => [zone, { operations: list }]);
    return { items: Object.fromEntries(items) };
  });
}

export function getInstance(call: Call): Operation {
  const found = named(call);
  return plainly(subjectOf(call, { name: found?.name, region: found?.region }), () => {
    if (!found || isOver(found.state)) throw missing(call);
    return wireInstance(call, found);
  });
}

export function getOperation(call: Call): Operation {
  return plainly(subjectOf(call, {}), () => shown(call, partsOf(call.request.path).at(-1) ?? ''));
}

export function project(call: Call): unknown {
  const { account } = call.credential;
  return { kind: 'compute#project', name: account, id: '424242424242', quotas: [] };
}

export function getRegion(call: Call): Operation {
  const region = partsOf(call.request.path)[1] ?? '';
  return plainly(subjectOf(call, { region }), () => {
    const zones = zonesOf(call).filter((zone) => zone.startsWith(`${region}-`));
    if (zones.length === 0) throw missing(call);
    return { name: region, zones: zones.map((zone) => linkTo(call, `/zones/${zone}`)) };
  });
}

/** All that is asked for is there. */
export function permissions(call: Call): unknown {
  return JSON.parse(call.request.text);
}

/** The machine that the path names, by name or by id. A name is that of the living; nothing else can have it. */
export function named(call: Call): Instance | undefined {
  const [, zone, , name] = partsOf(call.request.path);
  const here = call.cloud.world
    .all()
    .filter((instance) => instance.account === call.credential.account && instance.zone === zone);
  return here.find(({ id }) => id === name) ?? here.find((each) => each.name === name && !isOver(each.state));
}

export function missing(call: Call): ApiError {
  return new ApiError('NotFound', `The resource '${call.request.path.replace('/compute/v1/', '')}' was not found`);
}

export function zonesOf({ cloud }: Call): string[] {
  return [...new Set(cloud.options.catalog.map((row) => row.AvailabilityZone))].sort();
}

function scopeOf(call: Call, zone: string, listed: readonly Instance[]) {
  if ([...call.cloud.outages].some((region) => zone.startsWith(`${region}-`))) {
    return { warning: { code: 'UNREACHABLE', message: `zone ${zone} did not answer` } };
  }
  const instances = listed.filter((instance) => instance.zone === zone);
  if (instances.length === 0) return { warning: { code: 'NO_RESULTS_ON_PAGE', message: 'nothing here' } };
  return { instances: instances.map((instance) => wireInstance(call, instance)) };
}

function fateOf(call: Call, { id, name, zone, state }: Instance) {
  const type = state === 'preempted' ? 'compute.instances.preempted' : state === 'terminating' ? 'delete' : undefined;
  if (type === undefined) return [];
  return [
    {
      name: `systemevent-${id}`,
      operationType: type,
      status: 'DONE',
      insertTime: new Date(call.cloud.timeline.now()).toISOString(),
      targetId: id,
      targetLink: linkTo(call, `/zones/${zone}/instances/${name}`),
      zone,
    },
  ];
}

function wireInstance(call: Call, instance: Instance): Record<string, unknown> {
  const { id, name, zone, state, tags, instanceType, market, createdAt, extra } = instance;
  return {
    kind: 'compute#instance',
    id,
    name,
    zone: linkTo(call, `/zones/${zone}`),
    machineType: linkTo(call, `/zones/${zone}/machineTypes/${instanceType}`),
    status: STATUS[state],
    creationTimestamp: new Date(createdAt).toISOString(),
    labels: tags,
    labelFingerprint: 'abc=',
    metadata: { items: extra?.metadata ?? [] },
    scheduling: { provisioningModel: market === 'spot' ? 'SPOT' : 'STANDARD' },
    networkInterfaces: [interfaceOf(instance)],
  };
}

/** Both addresses are there while it runs, and not before. */
function interfaceOf({ state, address, extra }: Instance) {
  const ip = state === 'running' ? address?.ip : undefined;
  const config = { type: 'ONE_TO_ONE_NAT', ...(ip === undefined ? {} : { natIP: ip }) };
  return {
    ...(ip === undefined ? {} : { networkIP: ip }),
    ...(extra?.publicIp === true ? { accessConfigs: [config] } : {}),
  };
}
