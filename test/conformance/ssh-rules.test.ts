import assert from 'node:assert/strict';
import { judge } from '../../src/clouds/conformance/rules.ts';
import { type HostsWorld, rulesOfHosts, startHostsWorld } from '../support/ssh-world.ts';

describe('the ssh provider before real hosts', function () {
  this.timeout(60_000);
  let hosts: HostsWorld;

  before(async () => {
    hosts = await startHostsWorld();
  });
  after(() => hosts[Symbol.asyncDispose]());

  for (const rule of rulesOfHosts) {
    it(`${rule.id}: ${rule.says}`, async () => {
      for await (const verdict of judge(hosts.world, [rule])) assert.equal(verdict.broken, undefined);
    });
  }
});
