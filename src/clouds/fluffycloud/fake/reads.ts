import { withoutZones } from '../../../cloudsim/catalog.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import { has } from '../../../cloudsim/profiles.ts';
import { spendByInstance, spendByThing } from '../../../cloudsim/queries.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { namedInPath, wireAll } from './call.ts';
import { wireInstance } from './instance.ts';
import { holderOf } from './launch.ts';

export function list(call: Call): Operation {
  const region = call.request.query.get('region') ?? undefined;
  const rich = call.cloud.options.profile.richLaunch;
  return plainly(subjectOf(call, { region }), () => (rich ? listPage(call, region) : wireAll(call, visible(call))));
}

export function getOne(call: Call): Operation {
  const id = namedInPath(call);
  return plainly(subjectOf(call, { name: call.cloud.world.find(id)?.name }), () => {
    const found = visible(call).find((instance) => instance.id === id);
    if (!found) throw new ApiError('NotFound', `no instance ${id}`);
    return wireInstance(found, call.cloud.options.profile);
  });
}

/** Who has a name now. Names are looked up in the books themselves, never in a list that may be behind. */
export function getByName(call: Call): Operation {
  const { cloud, credential, request } = call;
  const name = namedInPath(call);
  const region = request.query.get('region') ?? '';
  return plainly(subjectOf(call, { name, region }), () => {
    const found = holderOf(cloud, { account: credential.account, region, name });
    if (!found) throw new ApiError('NotFound', `no instance ${name} in ${region}`);
    return { id: found.id, ...wireInstance(found, cloud.options.profile) };
  });
}

export function whoami({ cloud, credential }: Call): unknown {
  const { name, calibrated } = cloud.options.profile;
  return { account: credential.account, profile: name, calibrated };
}

export function catalog({ cloud }: Call): unknown {
  const { catalog: rows, profile } = cloud.options;
  return { rows: has(profile, 'zones') ? rows : withoutZones(rows) };
}

export function bill({ cloud }: Call): unknown {
  const now = cloud.timeline.now();
  return Object.fromEntries([...spendByInstance(cloud.ledger.rows, now), ...spendByThing(cloud.ledger.rows, now)]);
}

export function listKeys({ cloud, credential }: Call): unknown {
  return cloud.world.things(credential.account, 'ssh-key').map(({ id, data }) => ({ name: id, ...data }));
}

function listPage(call: Call, region: string | undefined): unknown {
  const { cloud, request } = call;
  const { pageSize } = cloud.options;
  const page = Number(request.query.get('page') ?? 0);
  const asked = visible(call).filter((instance) => region === undefined || instance.region === region);
  const warned = [...cloud.outages].filter((out) => region === undefined || out === region);
  return {
    instances: wireAll(call, asked.slice(page * pageSize, (page + 1) * pageSize)),
    ...(asked.length > (page + 1) * pageSize ? { next_page: String(page + 1) } : {}),
    warnings: warned.map((out) => ({ region: out, message: `region ${out} did not answer` })),
    time: new Date(cloud.timeline.now()).toISOString(),
  };
}

/** A hollow key and a region that is down show nothing. */
function visible({ cloud, credential }: Call) {
  if (credential.state === 'hollow') return [];
  return cloud.world.view(credential.account).filter((instance) => !cloud.outages.has(instance.region));
}
