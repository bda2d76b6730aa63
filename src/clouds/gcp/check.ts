import type { CallContext, CheckItem, CheckReport, ErrorClass } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import type { Gcp } from './client.ts';
import { errors } from './errors.ts';
import { configOf } from './manifest.ts';

/** Without these no machine can be launched, seen or ended. */
const REQUIRED = [
  'compute.disks.create',
  'compute.instances.create',
  'compute.instances.delete',
  'compute.instances.get',
  'compute.instances.list',
  'compute.instances.setLabels',
  'compute.instances.setMetadata',
  'compute.instances.setTags',
  'compute.globalOperations.list',
  'compute.projects.get',
  'compute.subnetworks.use',
  'compute.subnetworks.useExternalIp',
  'compute.zoneOperations.get',
  'compute.zoneOperations.list',
];
/** For a VPC of our own. */
const FOR_NETWORK = [
  'compute.firewalls.create',
  'compute.firewalls.list',
  'compute.globalOperations.get',
  'compute.networks.create',
  'compute.networks.get',
  'compute.networks.updatePolicy',
];
/** For ports, stop and start. */
const OPTIONAL = [
  'compute.firewalls.create',
  'compute.firewalls.delete',
  'compute.firewalls.get',
  'compute.firewalls.update',
  'compute.instances.start',
  'compute.instances.stop',
];

/** Reads the project, then asks which rights the credential has on it. */
export async function check(cx: CallContext, open: () => Gcp): Promise<CheckReport> {
  let gcp: Gcp | undefined;
  try {
    gcp = open();
    await gcp.compute('GET', '');
    const id = gcp.project;
    const items = [auth(gcp), ...(await permissions(gcp, cx))];
    return { ok: items.every(({ status }) => status !== 'fail'), account: { id, display: `project ${id}` }, items };
  } catch (error) {
    return { ok: false, items: [failed(error, gcp)] };
  }
}

function auth({ credential, project }: Gcp): CheckItem {
  return { probe: 'auth', status: 'ok', message: `The project is ${project}, by ${credential.project.from}.` };
}

async function permissions(gcp: Gcp, cx: CallContext): Promise<CheckItem[]> {
  const required = [...REQUIRED, ...(configOf(cx.config).network === undefined ? FOR_NETWORK : [])];
  const held = await permitted(gcp, [...new Set([...required, ...OPTIONAL])]);
  if (!held) return [UNASKED];
  const lacking = required.filter((permission) => !held.has(permission));
  const missed = OPTIONAL.filter((permission) => !held.has(permission) && !lacking.includes(permission));
  if (lacking.length > 0) return [missing('fail', lacking)];
  if (missed.length > 0) return [missing('warn', missed)];
  return [{ probe: 'permission', status: 'ok', message: 'All rights are there.' }];
}

const UNASKED: CheckItem = {
  probe: 'permission',
  status: 'warn',
  message: 'Which rights the credential has could not be asked.',
  hint: 'Enable the Cloud Resource Manager API of the project to have them checked.',
};

/** Undefined where it cannot be asked: another API than that of machines, which works without. */
async function permitted(gcp: Gcp, permissions: readonly string[]): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await gcp.permitted(permissions));
  } catch (error) {
    gcp.cx.log.warn('The rights of a credential could not be asked.', { error });
    return undefined;
  }
}

function missing(status: 'fail' | 'warn', lacking: readonly string[]): CheckItem {
  const message = `The service account lacks ${lacking.join(', ')}.`;
  return { probe: 'permission', status, message, hint: 'Give it a role on the project that has them.' };
}

const PROBES: Partial<Record<ErrorClass, CheckItem['probe']>> = {
  auth: 'auth',
  permission: 'permission',
  billing: 'billing',
};

function failed(error: unknown, gcp: Gcp | undefined): CheckItem {
  const { fault } = classify(errors, error, { op: 'check', creates: false });
  const message = fault.native?.message ?? fault.class;
  const probe = PROBES[fault.class] ?? 'reachability';
  if (fault.native?.http === 404 && gcp) {
    const { id, from } = gcp.credential.project;
    return { probe, status: 'fail', message, hint: `There is no project ${id}; its name came from ${from}.` };
  }
  const hint = fault.hint ?? 'Check that the operator may reach compute.googleapis.com and oauth2.googleapis.com.';
  return { probe, status: 'fail', message, hint };
}
