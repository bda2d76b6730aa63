/** `check`: which clouds can be used, what is found there, and for each that cannot what to do next. */
import type { Condition, SkyCloud } from '../api/types.gen.ts';
import { findCondition } from '../kube/conditions.ts';
import { isJson, sayJson } from './json.ts';
import { EXIT } from './objects.ts';
import type { Session } from './session.ts';
import { table } from './text.ts';

const NO_CLOUDS = 'No SkyClouds. Apply one with the credential of an account: see deploy/samples and docs/clouds.\n';

export async function check(session: Session): Promise<number> {
  const { name } = session.given;
  const { items } = await session.clouds.list({});
  const clouds = items.filter(({ metadata }) => name === undefined || metadata.name === name);
  if (name !== undefined && clouds.length === 0) {
    const known = items.map(({ metadata }) => metadata.name).join(', ');
    session.note(`no SkyCloud "${name}"${known ? `; there are ${known}` : ''}`);
    return EXIT.notFound;
  }
  if (isJson(session)) sayJson(session, { apiVersion: 'v1', kind: 'List', items: clouds });
  else session.stdout.write(checkText(clouds));
  return clouds.every(isUsable) ? EXIT.ok : EXIT.failed;
}

/** The table, and below it a line for everything that is in the way or only half right. */
export function checkText(clouds: readonly SkyCloud[]): string {
  if (clouds.length === 0) return NO_CLOUDS;
  const header = ['SKYCLOUD', 'PROVIDER', 'USABLE', 'ACCOUNT', 'REGIONS', 'TYPES', 'ACCELERATORS', 'MACHINES'];
  const remarks = clouds.flatMap((cloud) => remarksOf(cloud).map((remark) => `${cloud.metadata.name}: ${remark}\n`));
  return [table([header, ...clouds.map(rowOf)]), ...(remarks.length > 0 ? ['\n', ...remarks] : [])].join('');
}

function rowOf(cloud: SkyCloud): string[] {
  const { catalog = {}, account, nodes = {} } = cloud.status ?? {};
  const counts = [catalog.regions, catalog.instanceTypes, catalog.accelerators, nodes.running];
  return [
    cloud.metadata.name,
    cloud.spec.provider,
    isUsable(cloud) ? 'yes' : 'no',
    account?.display ?? '',
    ...counts.map((count) => String(count ?? '')),
  ];
}

function isUsable({ status }: SkyCloud): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'True';
}

/** What keeps the cloud from being used, or else what it could not do: a missing right, a quota of 0, an old price list. */
function remarksOf(cloud: SkyCloud): string[] {
  const { conditions } = cloud.status ?? {};
  const ready = findCondition(conditions, 'Ready');
  if (!ready) return ['not looked at yet; is the operator running? (kubectl -n sky-operator get pods)'];
  if (ready.status !== 'True') return [`${ready.reason}: ${ready.message}`];
  return ['PermissionsSufficient', 'CatalogFresh', 'LeakSuspected']
    .map((type) => findCondition(conditions, type))
    .filter((condition) => condition !== undefined && !isSound(condition))
    .map((condition) => `${condition?.reason}: ${condition?.message}`);
}

/** A right that is missing for some wishes only is told in the message of a true condition. */
function isSound({ type, status, message }: Condition): boolean {
  if (type === 'LeakSuspected') return status === 'False';
  return status === 'True' && (type !== 'PermissionsSufficient' || message.startsWith('all rights'));
}
