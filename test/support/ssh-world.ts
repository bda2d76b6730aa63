/** The world of the conformance rules over hosts of one's own: real sshd processes instead of an API. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { FakeCloud } from '../../src/clouds/conformance/cloud.ts';
import { type Rule, rules } from '../../src/clouds/conformance/rules.ts';
import { World } from '../../src/clouds/conformance/world.ts';
import { capabilities } from '../../src/clouds/ssh/manifest.ts';
import { startHosts } from './ssh-hosts.ts';
import type { SshHost } from './ssh-hosts.ts';
import { Operator, POOL } from './ssh-operator.ts';

/** As the rules' own requests have it. */
const INSTALLATION = 'abcdefgh';
const HOSTS = 3;

/**
 * What hosts cannot have: corrupt answers of an API, pages, names that are taken, and machines that are still shown when they have
 * ended. Their own tests break connections instead.
 */
const notOfHosts = new Set([
  'a list shows machines in every state that the cloud still shows',
  'a name that the same attempt has taken is adopted, also after a lost answer',
  'a name that the same attempt has taken is adopted, and one that somebody else has is a conflict',
  'a launch whose answer is corrupt has an unknown outcome',
  'a launch that is never answered ends at the deadline with an unknown outcome',
  'a launch that failed was sent once, and every request was paid for from the budget',
  'a list whose answer is corrupt is incomplete',
  'a corrupt answer about ending a machine proves nothing of it',
  'a list of which a later page fails is incomplete',
  'an empty list of a key that proves nothing is incomplete',
]);

/** Real hosts from behind. */
function cloudOf(hosts: readonly SshHost[], operator: Operator, instanceType: string): FakeCloud {
  const { secret, config } = operator;
  const booked = async () => {
    const { nodes } = await operator.page();
    return nodes.map(({ id, name }) => ({ id, name }));
  };
  const files = () => hosts.flatMap(({ home }) => filesBelow(home));
  return {
    endpoint: '',
    config,
    secret,
    account: 'ssh',
    offering: { region: POOL, instanceType, market: 'on-demand' },
    pageSize: 1_000,
    wholeLists: [],
    booked,
    mutations: async () => files().length,
    requests: async () => operator.taken,
    things: async () => 0,
    books: async () =>
      files()
        .map((file) => readFileSync(file, 'utf8'))
        .join('\n'),
    breaks: async () => {},
    losesEvents: async () => {},
    hasCapacity: async (count) => void (await Promise.all(hosts.slice(count).map((host) => host.shutsOff()))),
    hollowsKey: async () => {},
    preempts: async () => {},
    losesHost: async () => {},
    losesAccelerators: async () => {},
    budget: { throttled: () => {}, left: () => {}, take: async () => {} },
    lacks: () => undefined,
    owns: () => true,
    settles: async () => {},
    resets: async () => {
      for (const host of hosts) if (!host.isOn) await host.start();
      await operator.terminate(...(await booked()).map(({ id }) => id));
    },
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Rules that hosts can keep or break. */
export const rulesOfHosts: readonly Rule[] = rules.filter(
  (rule) => !notOfHosts.has(rule.says) && rule.applies?.(capabilities) !== false,
);

export interface HostsWorld extends AsyncDisposable {
  readonly world: World;
}

export async function startHostsWorld(): Promise<HostsWorld> {
  const { hosts, privateKey } = await startHosts(HOSTS);
  const operator = new Operator(hosts, privateKey, INSTALLATION);
  return {
    world: new World(operator.provider, cloudOf(hosts, operator, await operator.shape()), systemClock),
    [Symbol.asyncDispose]: async () => void (await Promise.all(hosts.map((host) => host.remove()))),
  };
}
