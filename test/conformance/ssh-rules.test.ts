import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { judge, rules } from '../../src/clouds/conformance/rules.ts';
import { World } from '../../src/clouds/conformance/world.ts';
import type { FakeCloud } from '../../src/clouds/conformance/cloud.ts';
import { capabilities } from '../../src/clouds/ssh/manifest.ts';
import { startHosts } from '../support/ssh-hosts.ts';
import type { SshHost } from '../support/ssh-hosts.ts';
import { Operator, POOL } from '../support/ssh-operator.ts';

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

describe('the ssh provider before real hosts', function () {
  this.timeout(60_000);
  let hosts: SshHost[] = [];
  let world: World;

  before(async () => {
    const started = await startHosts(HOSTS);
    ({ hosts } = started);
    const operator = new Operator(hosts, started.privateKey, INSTALLATION);
    operator.host = { price: 1 };
    world = new World(operator.provider, cloudOf(hosts, operator, await operator.shape()), systemClock);
  });
  after(() => Promise.all(hosts.map((host) => host.remove())));

  for (const rule of rules) {
    if (notOfHosts.has(rule.says) || rule.applies?.(capabilities) === false) continue;
    it(`${rule.id}: ${rule.says}`, async () => {
      for await (const verdict of judge(world, [rule])) assert.equal(verdict.broken, undefined);
    });
  }
});
