import type { Logger } from '../log.ts';
import type { CatalogRow } from './catalog.ts';
import { ApiError } from './errors.ts';
import type { Instance, InstanceState } from './instance.ts';
import { noConfig, parseUserData } from './machines/cloud-init.ts';
import type { CloudConfig } from './machines/cloud-init.ts';
import type { Machines } from './machines/contract.ts';
import type { Plan } from './plan.ts';
import type { Timeline } from './timeline.ts';
import { byCloud } from './world.ts';
import type { Cause, World } from './world.ts';

export interface LifeOptions {
  readonly world: World;
  readonly machines: Machines;
  readonly timeline: Timeline;
  readonly plan: Plan;
  readonly log: Logger;
  /** Simulated seconds from accepted to running. */
  readonly bootSeconds: number;
  readonly typeOf: (instanceType: string) => CatalogRow | undefined;
}

/** Simulated seconds from an accepted removal to its end. */
const REMOVE_SECONDS = 2;

/** What happens to a machine after it was created: boots, stops, reboots, notices and ends. */
export class Life {
  readonly #options: LifeOptions;
  /** Of each machine; a draw is keyed by it. */
  readonly #starts = new Map<string, number>();

  constructor(options: LifeOptions) {
    this.#options = options;
  }

  /** Boots after the boot time, unless the machine has ended by then, or was never to run. */
  scheduleBoot(id: string): void {
    const { timeline, bootSeconds, world } = this.#options;
    const { failsAs } = world.get(id);
    const then = (): void =>
      failsAs === undefined ? this.#background(this.#boot(id)) : this.#end(byCloud, id, 'failed', failsAs);
    timeline.after(bootSeconds * 1000, then);
  }

  remove(cause: Cause, id: string): void {
    const { world } = this.#options;
    const staysAsFailed = world.options.profile.failedSeconds !== undefined;
    if (staysAsFailed && world.get(id).state === 'failed') world.change(cause, 'removed', id, { state: 'terminated' });
    if (world.get(id).state === 'terminating' || !world.lives(id)) return;
    world.change(cause, 'removed', id, { state: 'terminating' });
    this.#background(this.#options.machines.destroy(id));
    this.finishRemoval(id);
  }

  /** Ends a terminating machine after the time that takes. */
  finishRemoval(id: string): void {
    this.#options.timeline.after(REMOVE_SECONDS * 1000, () => this.#end(byCloud, id, 'terminated'));
  }

  stop(cause: Cause, id: string): void {
    this.#require(id, ['running', 'pending'], 'stop');
    this.#options.world.change(cause, 'stop-requested', id, { state: 'stopping' });
    this.#background(this.#halt(id));
  }

  start(cause: Cause, id: string): void {
    this.#require(id, ['stopped'], 'start');
    this.#options.world.change(cause, 'start-requested', id, { state: 'pending', ...this.#gpusAfterStart(id) });
    this.scheduleBoot(id);
  }

  /** Somebody else may have got the accelerators while the machine was stopped. */
  #gpusAfterStart(id: string): Pick<Instance, 'gpus'> {
    const { world, plan, typeOf } = this.#options;
    const { name, region, instanceType, gpus } = world.get(id);
    const sequence = (this.#starts.get(id) ?? 0) + 1;
    this.#starts.set(id, sequence);
    const faults = plan.at('boot', { op: 'start', region, name, sequence });
    const lost = faults.some((action) => action.kind === 'boot-fault' && action.how === 'missing-gpu');
    if (lost) return { gpus: 0 };
    return gpus === undefined ? {} : { gpus: typeOf(instanceType)?.AcceleratorCount ?? 0 };
  }

  /** Stop and start with the same files, under a new boot id. */
  reboot(cause: Cause, id: string): void {
    this.#require(id, ['running'], 'reboot');
    this.#options.world.change(cause, 'rebooted', id, {});
    this.#background(this.#options.machines.halt(id).then(() => this.#boot(id)));
  }

  /** Notice, then the end: SIGKILL to everything the machine runs. */
  preempt(cause: Cause, id: string, noticeSeconds: number): void {
    const { world, machines, timeline } = this.#options;
    const end = (): void => this.#end(cause, id, 'preempted', 'SpotReclaimed');
    if (noticeSeconds <= 0) return end();
    const endsAt = timeline.now() + noticeSeconds * 1000;
    world.commit(cause, 'notice', world.get(id), { endsAt });
    machines.notice(id, JSON.stringify({ action: 'terminate', time: new Date(endsAt).toISOString() }));
    timeline.after(noticeSeconds * 1000, end);
  }

  failHost(cause: Cause, id: string): void {
    this.#end(cause, id, 'failed', 'HostFailure');
  }

  #end(cause: Cause, id: string, state: InstanceState, reason?: string): void {
    const { world, machines } = this.#options;
    if (!world.lives(id)) return;
    world.change(cause, state, id, { state, ...(reason ? { reason } : {}) });
    this.#background(machines.destroy(id));
    // What goes with a machine stays when the machine failed, as it does in real clouds: somebody has to clean up.
    if (state !== 'failed') for (const thing of world.thingsOf(id)) world.removeThing(byCloud, thing);
  }

  async #boot(id: string): Promise<void> {
    const { world, machines, plan } = this.#options;
    if (!this.#is(id, ['pending', 'running'])) return;
    const instance = world.get(id);
    const { config, accelerator, vCPUs, memoryGiB } = this.#hardware(instance);
    const subject = { op: 'boot', region: instance.region, name: instance.name, sequence: 1 };
    const fault = plan.at('boot', subject).find((action) => action.kind === 'boot-fault')?.how;
    if (fault === 'never-running') return;
    const spec = { id, hostname: instance.name, config, accelerator, vCPUs, memoryGiB, ...(fault ? { fault } : {}) };
    try {
      const address = await machines.boot(spec);
      // Removed while it booted: its processes must not outlive it.
      if (!this.#is(id, ['pending', 'running'])) return await this.#undoBoot(id);
      world.change(byCloud, 'running', id, { state: 'running', address });
      this.#armPowerOff(id, config.powerOffMinutes);
    } catch (error) {
      this.#options.log.error('A simulated machine did not boot.', { id, error });
      if (this.#is(id, ['pending', 'running'])) this.#end(byCloud, id, 'failed', 'BootFailed');
    }
  }

  #undoBoot(id: string): Promise<void> {
    const { machines } = this.#options;
    return this.#is(id, ['stopping', 'stopped']) ? machines.halt(id) : machines.destroy(id);
  }

  async #halt(id: string): Promise<void> {
    const { world, machines } = this.#options;
    await machines.halt(id);
    if (this.#is(id, ['stopping'])) world.change(byCloud, 'stopped', id, { state: 'stopped' });
  }

  /** A dead man's switch: the guest switches itself off, which ends the machine and its bill, or only stops it. */
  #armPowerOff(id: string, minutes: number | undefined): void {
    if (minutes === undefined) return;
    this.#options.timeline.after(minutes * 60_000, () => this.#powerOff(id));
  }

  #powerOff(id: string): void {
    const { world } = this.#options;
    if (!world.find(id)?.billedStopped) this.#end(byCloud, id, 'terminated', 'GuestPowerOff');
    else if (this.#is(id, ['running'])) this.stop(byCloud, id);
  }

  #hardware(instance: Instance) {
    const type = this.#options.typeOf(instance.instanceType);
    return {
      config: this.#config(instance),
      accelerator: acceleratorOf(instance, type),
      vCPUs: type?.vCPUs ?? 0,
      memoryGiB: type?.MemoryGiB ?? 0,
    };
  }

  /** What the user data says, and the SSH key that the cloud itself puts there. */
  #config({ id, account, sshKeyName }: Instance): CloudConfig {
    const { world } = this.#options;
    const userData = world.userData(id);
    const parsed = userData === undefined ? noConfig : parseUserData(userData);
    const key = world.thing(account, 'ssh-key', sshKeyName ?? '');
    return key ? { ...parsed, authorizedKeys: [...parsed.authorizedKeys, String(key.data.public_key)] } : parsed;
  }

  #is(id: string, states: readonly InstanceState[]): boolean {
    const instance = this.#options.world.find(id);
    return instance !== undefined && states.includes(instance.state);
  }

  #require(id: string, states: readonly InstanceState[], what: string): void {
    const { state } = this.#options.world.get(id);
    if (!states.includes(state)) throw new ApiError('IncorrectState', `cannot ${what} ${id}: it is ${state}`);
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log.error('A simulated machine misbehaved.', { error }));
  }
}

/** What it was launched with, or what its type has; less where it was lost. */
function acceleratorOf({ accelerator, gpus }: Instance, type: CatalogRow | undefined) {
  const whole = accelerator ?? { name: type?.AcceleratorName ?? '', count: type?.AcceleratorCount ?? 0 };
  return { ...whole, count: gpus ?? whole.count };
}
