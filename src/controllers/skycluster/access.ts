/** Whether the cloud that holds the machines of a cluster can be asked now. A cloud that cannot proves nothing. */
import type { AttemptRecord, SkyCluster } from '../../api/types.gen.ts';
import { SNAPSHOT_POLLS } from '../../provision/constants.ts';
import type { CloudAccess } from '../../provision/decision.ts';
import type { Deps } from '../deps.ts';

export function accessOf(cluster: SkyCluster, deps: Deps): CloudAccess {
  const intent = intentOf(cluster);
  const { cloud, region } = intent.placement ?? {};
  if (!cloud || !region) return { kind: 'Usable' };
  const account = deps.registry.get(cloud)?.account;
  if (!account) return noAccount(cloud, deps);
  if (intent.account !== undefined && intent.account !== account.id)
    return otherAccount(cloud, account.id, intent.account);
  return listed(cloud, region, deps);
}

/** Where the machines are or are being rented, and in which account. */
function intentOf({ status }: SkyCluster): Pick<AttemptRecord, 'placement' | 'account'> {
  if (status?.attempt) return status.attempt;
  const held = status?.attempts?.find((attempt) => attempt.outcome === 'Held');
  return {
    ...(status?.placement ? { placement: status.placement } : {}),
    ...(held?.account ? { account: held.account } : {}),
  };
}

function otherAccount(cloud: string, now: string, intended: string): CloudAccess {
  const message = `SkyCloud ${cloud} now opens account ${now}, the machines are in ${intended}; restore its Secret, or create a second SkyCloud.`;
  return { kind: 'Blind', reason: 'AccountMismatch', message };
}

function noAccount(cloud: string, deps: Deps): CloudAccess {
  const object = deps.stores.clouds.get(cloud);
  if (!object)
    return {
      kind: 'Blind',
      reason: 'CloudMissing',
      message: `SkyCloud ${cloud} does not exist any more; create it again with its credential.`,
    };
  const ready = object.status?.conditions?.find((condition) => condition.type === 'CredentialsValid');
  if (!ready || ready.status === 'Unknown') return { kind: 'NotListedYet' };
  return { kind: 'Blind', reason: 'CredentialsInvalid', message: `SkyCloud ${cloud}: ${ready.message}.` };
}

function listed(cloud: string, region: string, deps: Deps): CloudAccess {
  const last = deps.poller.snapshots(cloud, region).at(-1);
  const trouble = deps.poller.trouble(cloud, region);
  if (!last) return trouble === undefined ? { kind: 'NotListedYet' } : unreachable(cloud, region, trouble);
  const tooOld = deps.clock.monotonic() - last.completedAt > SNAPSHOT_POLLS * deps.config.poll.steadyMs;
  return tooOld && trouble !== undefined ? unreachable(cloud, region, trouble) : { kind: 'Usable' };
}

function unreachable(cloud: string, region: string, trouble: string): CloudAccess {
  return { kind: 'Blind', reason: 'CloudUnreachable', message: `${cloud}/${region} cannot be listed: ${trouble}.` };
}
