import type { CallContext, CheckItem, CheckReport } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { NativeError } from '../kit/rest.ts';
import { nameOf } from './config.ts';
import type { Host } from './config.ts';
import { errors } from './errors.ts';
import { unfitness } from './facts.ts';
import type { Fleet, Looked, Refused } from './fleet.ts';
import { hasLease } from './nodes.ts';
import { ACCOUNT } from './read.ts';

/** Tokens and logs of machines are compared with each other; what is further off confuses people. */
const MAX_CLOCK_OFFSET_S = 30;
const MOST_NAMES = 5;

/** Something to be said of one host. */
interface Remark {
  readonly host: Host;
  /** Remarks of one kind are told together. */
  readonly kind: string;
  readonly probe: CheckItem['probe'];
  readonly text: string;
  readonly hint: string;
  /** The host is not offered. */
  readonly isFatal: boolean;
}

/** Of each host. Where giving back had failed it is tried again; nothing else is changed. Good while at least one host passes. */
export async function check(
  cx: CallContext,
  fleet: Fleet,
  regions: readonly string[] | undefined,
): Promise<CheckReport> {
  const hosts = fleet.settings.hosts.filter(({ pool }) => regions === undefined || regions.includes(pool));
  const { looked, refused } = await fleet.lookAll(hosts);
  const cleaned = await Promise.all(looked.map((host) => cleanedUp(fleet, host)));
  const remarks = [...refused.map(refusal), ...looked.flatMap((host) => remarksOn(cx, host)), ...cleaned.flat()];
  const failed = new Set(remarks.filter(({ isFatal }) => isFatal).map(({ host }) => host));
  const ok = failed.size < hosts.length;
  return {
    ok,
    account: { id: ACCOUNT, display: `${hosts.length - failed.size} of ${hosts.length} hosts of your own` },
    items: [...summary(hosts, failed), ...told(remarks, ok)],
  };
}

function summary(hosts: readonly Host[], failed: ReadonlySet<Host>): CheckItem[] {
  if (hosts.length === 0) return [noHosts];
  return [...Map.groupBy(hosts, ({ pool }) => pool)].flatMap(([region, all]): CheckItem[] => {
    const passing = all.filter((host) => !failed.has(host)).length;
    if (passing === 0) return [];
    return [
      { probe: 'reachability', region, status: 'ok', message: `${passing} of ${all.length} hosts can be leased.` },
    ];
  });
}

const noHosts: CheckItem = {
  probe: 'config',
  status: 'fail',
  message: 'spec.regions names no pool of spec.config.',
  hint: 'A region of this provider is a pool; name pools, or leave spec.regions out.',
};

/** One item for all hosts of a pool with the same remark; a host that fails is a failure only where none passes. */
function told(remarks: readonly Remark[], ok: boolean): CheckItem[] {
  const worstFirst = [...remarks].sort((a, b) => Number(b.isFatal) - Number(a.isFatal));
  const groups = Map.groupBy(worstFirst, ({ host, kind }) => `${host.pool}\n${kind}`);
  return [...groups.values()].flatMap((group): CheckItem[] => {
    const [first] = group;
    if (!first) return [];
    const names = group.slice(0, MOST_NAMES).map(({ host }) => nameOf(host));
    const more = group.length > MOST_NAMES ? ` and ${group.length - MOST_NAMES} more` : '';
    const left = first.isFatal ? `${group.length} left out` : `${group.length}`;
    return [
      {
        probe: first.probe,
        region: first.host.pool,
        status: first.isFatal && !ok ? 'fail' : 'warn',
        message: `${left} (${names.join(', ')}${more}): ${first.text}.`,
        hint: first.hint,
      },
    ];
  });
}

const AUTH: ReadonlySet<string> = new Set(['auth-failed', 'host-key-changed', 'host-key-missing']);

function refusal({ host, error }: Refused): Remark {
  const code = error.code ?? 'unreachable';
  const { hint = '' } = classify(errors, error, { op: 'check', creates: false }).fault;
  return {
    host,
    kind: code,
    probe: AUTH.has(code) ? 'auth' : 'reachability',
    text: withoutName(host, error.message),
    hint,
    isFatal: true,
  };
}

function withoutName(host: Host, message: string): string {
  const name = nameOf(host);
  return (message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message).replace(/\.$/, '');
}

function remarksOn(cx: CallContext, { host, facts }: Looked): Remark[] {
  const remark = (kind: string, text: string, hint: string): Remark => ({
    host,
    kind,
    probe: 'permission',
    text,
    hint,
    isFatal: false,
  });
  const unfit = unfitness(host, facts);
  if (unfit !== undefined)
    return [
      { ...remark(unfit, unfit, 'Mend it, or take the host out of the pool.'), probe: 'reachability', isFatal: true },
    ];
  const offset = Math.abs(facts.time - cx.clock.now() / 1_000);
  const lacksGpus = host.gpus !== undefined && facts.gpus.length < host.gpus.count;
  return [
    ...(facts.leasesAtHome ? [remark('home', AT_HOME, AT_HOME_HINT)] : []),
    ...(facts.hasSudo ? [] : [remark('sudo', 'sudo asks for a password', SUDO_HINT)]),
    ...(offset > MAX_CLOCK_OFFSET_S
      ? [remark('clock', `the clock is ${Math.round(offset)} s off`, 'Enable NTP.')]
      : []),
    ...(lacksGpus
      ? [remark('gpus', `its driver shows ${facts.gpus.length} GPUs, so it is offered without`, GPU_HINT)]
      : []),
    ...(host.maxBlocks > 1 && facts.gpus.length > 0
      ? [remark('blocks', 'it has blocks, so its GPUs are not offered', BLOCK_HINT)]
      : []),
    ...(facts.held.some(({ state }) => state === 'damaged')
      ? [remark('damaged', `a file in ${facts.leaseDirectory} is no lease`, DAMAGED_HINT)]
      : []),
  ];
}

const AT_HOME = 'leases are kept in the home of the login user';
const AT_HOME_HINT =
  'Operators that share the host exclude each other only with the same login user; make /var/lib/sky/leases (mode 1777).';
const SUDO_HINT =
  'Set-up scripts that use sudo will fail: add NOPASSWD; for the lease directory alone, sudo_password will do.';
const GPU_HINT = 'Install the driver, or correct gpus of the host.';
const BLOCK_HINT = 'Set maxBlocks to 1 to offer the GPUs.';
const DAMAGED_HINT = 'Nothing is proved gone in this pool until the file is removed.';

/** Remarks on leases that still cannot be given back. */
async function cleanedUp(fleet: Fleet, { host, facts }: Looked): Promise<Remark[]> {
  const dirty = facts.held.filter(hasLease).filter(({ state }) => state === 'dirty');
  const remarks: Remark[] = [];
  for (const { lease } of dirty) {
    try {
      await fleet.release(host, lease.id);
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      const { hint = '' } = classify(errors, error, { op: 'check', creates: false }).fault;
      const text = `it is quarantined: ${withoutName(host, error.message)}`;
      remarks.push({ host, kind: text, probe: 'reachability', text, hint, isFatal: true });
    }
  }
  return remarks;
}

/** What keeps the whole SkyCloud from being used. */
export function failedReport(error: unknown): CheckReport {
  const { fault } = classify(errors, error, { op: 'check', creates: false });
  const probe = fault.class === 'auth' ? 'auth' : fault.class === 'invalid' ? 'config' : 'reachability';
  const message = fault.native?.message ?? fault.class;
  return { ok: false, items: [{ probe, status: 'fail', message, hint: fault.hint ?? '' }] };
}
