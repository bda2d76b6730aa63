import type { Need } from '../../../src/clouds/conformance/rules.ts';
import type { FakeCloud } from '../../../src/clouds/conformance/cloud.ts';
import type { Capabilities, Offering, RateBudget } from '../../../src/clouds/contract.ts';
import type { Account } from './account.ts';

export interface RealCloudOptions {
  readonly account: Account;
  readonly accountId: string;
  readonly offering: Offering;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, string>>;
  readonly endpoint: string | undefined;
  readonly budget: RateBudget;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/** A real account, as far as it can stand in for a fake: it can be looked at, and nothing else. */
export function realCloud(options: RealCloudOptions): FakeCloud {
  const { account, accountId, endpoint, signal } = options;
  const { clock, capabilities, pollSeconds } = account.options;
  const settles = (): Promise<void> =>
    clock.sleep(Math.max(capabilities.list.maxLagSeconds, pollSeconds) * 1_000, signal);
  const cannot = (): never => {
    throw new Error('a real cloud does not do that on order; the rule lacks a need');
  };
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    config: options.config,
    secret: options.secret,
    account: accountId,
    offering: options.offering,
    region: options.offering.region,
    pageSize: Infinity,
    wholeLists: [],
    budget: options.budget,
    lacks: (need) => lack(need, capabilities),
    owns: (node) => account.owns(node),
    booked: async () => {
      await settles();
      return (await account.listed()).filter(({ state }) => state !== 'failed').map(({ id, name }) => ({ id, name }));
    },
    mutations: async () => cannot(),
    requests: async () => cannot(),
    things: async () => cannot(),
    books: async () => cannot(),
    breaks: async () => cannot(),
    hasCapacity: async () => cannot(),
    hollowsKey: async () => cannot(),
    preempts: async () => cannot(),
    losesHost: async () => cannot(),
    losesEvents: async () => cannot(),
    losesAccelerators: async () => cannot(),
    settles,
    resets: () => account.resets(signal),
  };
}

/** Why a real cloud cannot serve a need. */
export function lack(need: Need, { list }: Capabilities): string | undefined {
  switch (need) {
    case 'plan':
      return 'needs a cloud that misbehaves on order';
    case 'ledger':
      return "needs the cloud's own books";
    case 'tombstones':
      return list.tombstoneSeconds > list.maxLagSeconds
        ? undefined
        : `needs ended machines to be listed, and they are for ${list.tombstoneSeconds} s while lists are ${list.maxLagSeconds} s behind`;
    default:
      return need satisfies never;
  }
}
