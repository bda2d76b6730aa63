import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { faultOf } from '../../src/clouds/conformance/world.ts';
import type { ObservedNode } from '../../src/clouds/contract.ts';
import { ProviderError } from '../../src/clouds/contract.ts';
import type { NodeTarget } from '../../src/remote/contract.ts';
import { aRun, anOperator, finish, forever, ok, start } from '../e2e/remote/scene.ts';
import { startHosts } from '../support/ssh-hosts.ts';
import type { SshHost } from '../support/ssh-hosts.ts';
import { cluster, Operator, POOL } from '../support/ssh-operator.ts';

/** How the core would dial the machine, with its key for the cluster. */
function targetOf(node: ObservedNode, installation: string): NodeTarget {
  const { ssh } = node.address;
  assert.ok(ssh);
  return {
    ...ssh,
    hostKeys: node.hostKeys ?? [],
    privateKey: cluster.privateKey,
    identity: { installation, clusterUid: 'uid-1', slot: node.slot ?? 0, instanceId: node.id },
    epoch: 1,
  };
}

async function failureOf(call: Promise<unknown>) {
  const fault = await faultOf(call);
  return { class: fault.class, outcome: fault.outcome, partial: fault.partial?.length ?? 0 };
}

describe('hosts of your own', function () {
  this.timeout(60_000);
  let hosts: SshHost[] = [];
  let privateKey = '';
  let operator: Operator;

  const begin = async (count: number): Promise<SshHost> => {
    ({ hosts, privateKey } = await startHosts(count));
    operator = new Operator(hosts, privateKey);
    const [first] = hosts;
    assert.ok(first);
    return first;
  };
  const leases = (): number =>
    hosts.reduce((sum, host) => sum + host.leases().filter((name) => /^\d+$/.test(name)).length, 0);

  afterEach(async () => {
    assert.equal(operator.timers, 0, 'a timer outlives its call');
    await Promise.all(hosts.map((host) => host.remove()));
  });

  describe('a launch', () => {
    it('leases a host for each slot, which is listed with its pinned key and its tags', async () => {
      await begin(2);
      const nodes = await operator.launch(2);
      assert.deepEqual(
        nodes.map(({ slot, launchIndex, state, hostKeys, address }) => ({
          slot,
          launchIndex,
          state,
          hostKeys,
          address,
        })),
        hosts.map((host, index) => ({
          slot: index,
          launchIndex: index,
          state: 'running',
          hostKeys: [host.publicHostKey],
          address: {
            privateIp: host.address,
            ssh: { host: host.address, port: host.port, user: 'root' },
          },
        })),
      );
      const page = await operator.page();
      assert.deepEqual([page.complete, page.account], [true, 'ssh']);
      assert.deepEqual(page.nodes, nodes);
      assert.deepEqual(nodes[0]?.tags, (await operator.request(2)).tags);
      assert.ok(operator.taken > 0);
    });

    it('lets the keys of the cluster in, to a home and a root of the lease, where jobs run', async () => {
      const host = await begin(1);
      const [node] = await operator.launch(1);
      assert.ok(node);
      const remote = anOperator();
      const machine = remote.node(targetOf(node, operator.installation));
      const { root } = ok(await machine.bootstrap({ accelerators: 0 }, forever));
      assert.ok(root.startsWith(join(host.home, '.sky-operator/work/')), root);
      const { state, log } = await finish(machine, aRun('echo "$HOME $SKY_LEASE"; touch ~/x'));
      await remote.close();
      assert.equal(state.kind, 'Exited');
      assert.deepEqual(log.trim().split(' '), [join(root, '../home'), node.id.split('/')[2]]);
      assert.ok(existsSync(join(root, '../home/x')) && !existsSync(join(host.home, 'x')));
    });

    it('of the same attempt adopts what it holds, and of another request refuses', async () => {
      await begin(2);
      const nodes = await operator.launch(1);
      const again = await Promise.all([operator.launch(1), operator.launch(1), operator.launch(1)]);
      for (const more of again) assert.deepEqual(more, nodes);
      assert.equal(leases(), 1);
      const request = await operator.request(1);
      const other = { ...request, attempt: { ...request.attempt, requestHash: 'another' } };
      const refused = await failureOf(operator.provider.launch(operator.cx(), other));
      assert.deepEqual(refused, { class: 'conflict', outcome: 'not-started', partial: 0 });
    });

    it('that finds too few hosts leaves nothing', async () => {
      await begin(2);
      const fault = await faultOf(operator.launch(3));
      assert.deepEqual([fault.class, fault.outcome], ['capacity', 'not-started']);
      assert.equal(fault.block?.scope.region, POOL);
      assert.equal(leases(), 0);
    });

    it('that is refused names how many hosts are what', async () => {
      await begin(3);
      await operator.launch(1);
      await hosts[2]?.shutsOff();
      const { native } = await faultOf(operator.launch(2, 2));
      assert.equal(native?.message, 'rack: 2 wanted, 1 free; not: 1 unreachable, 1 leased');
    });

    it('of a disk that no host has free is refused as such', async () => {
      await begin(1);
      const request = await operator.request(1, 1, { disk: { sizeGiB: 1_000_000 } });
      const fault = await faultOf(operator.provider.launch(operator.cx(), request));
      assert.deepEqual([fault.class, fault.outcome], ['unsupported', 'not-started']);
      assert.match(fault.hint ?? '', /diskSize/);
    });

    it('is told that the connection broke and its script went on: the lease is one', async () => {
      const host = await begin(1);
      host.crashes('connection-before');
      const nodes = await operator.launch(1);
      assert.equal(leases(), 1);
      assert.deepEqual((await operator.page()).nodes, nodes);
    });

    it('finishes what a connection that broke after the link left undone', async () => {
      const host = await begin(1);
      host.crashes('connection-after');
      const nodes = await operator.launch(1);
      assert.deepEqual((await operator.page()).nodes, nodes);
      assert.match(host.authorizedKeys, /sky-lease-/);
    });

    for (const { when, left } of [
      { when: 'all-before', left: [] },
      { when: 'all-after', left: ['pending'] },
    ] as const) {
      it(`is of unknown outcome when the host goes away: ${when}`, async () => {
        await begin(2);
        const [first, host] = hosts;
        assert.ok(host);
        host.crashes(when);
        assert.deepEqual(await failureOf(operator.launch(2)), { class: 'transient', outcome: 'unknown', partial: 0 });
        const silent = await operator.page();
        assert.deepEqual([silent.complete, silent.missing], [false, [{ region: POOL }]]);
        await host.start();
        assert.deepEqual(await operator.states(), left);
        assert.deepEqual(first?.leases(), []);
        const nodes = await operator.launch(2);
        assert.deepEqual((await operator.page()).nodes, nodes);
        assert.equal(leases(), 2);
      });
    }

    it('that cannot give back what it took tells of it', async () => {
      await begin(2);
      const request = await operator.request(2);
      const [first, second] = hosts;
      first?.canRemove(false);
      cannotBeSetUp(second);
      const fault = await faultOf(operator.provider.launch(operator.cx(), request));
      assert.deepEqual([fault.class, fault.outcome], ['conflict', 'started']);
      assert.deepEqual(
        fault.partial?.map(({ address }) => address.ssh?.host),
        [first?.address],
      );
    });

    it('passes by a host that cannot be set up, and leaves nothing on it', async () => {
      await begin(2);
      const [first, second] = hosts;
      cannotBeSetUp(first);
      const [node] = await operator.launch(1);
      assert.equal(node?.address.ssh?.host, second?.address);
      assert.deepEqual(first?.leases(), []);
    });

    it('that is aborted tells of what it may have begun', async () => {
      await begin(2);
      const request = await operator.request(2);
      const abort = new AbortController();
      const cx = operator.cx({ signal: abort.signal });
      const launch = operator.provider.launch(cx, request);
      while (leases() === 0) await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      const fault = await launch.then(
        () => undefined,
        (error: unknown) => (error instanceof ProviderError ? error.fault : assert.fail(String(error))),
      );
      assert.ok(fault, 'it was too fast to be aborted');
      assert.ok(fault.outcome !== 'not-started');
    });
  });

  describe('two launches', () => {
    it('that race for the same hosts lease each once', async () => {
      await begin(3);
      const other = new Operator(hosts, privateKey, 'bbbbbbbb');
      for (let round = 1; round <= 4; round += 1) {
        const ended = await Promise.allSettled([operator.launch(2, round), other.launch(2, round)]);
        const nodes = ended.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
        for (const end of ended)
          if (end.status === 'rejected') assert.equal((end.reason as ProviderError).fault.class, 'capacity');
        assert.ok(nodes.length <= 2, 'three hosts hold two gangs of two');
        assert.equal(leases(), nodes.length);
        const all = [...(await operator.page()).nodes, ...(await other.page()).nodes];
        assert.deepEqual(all.map(({ id }) => id).sort(), nodes.map(({ id }) => id).sort());
        for (const { id } of nodes) await operator.terminate(id);
      }
    });

    it('of many slots never hold a host twice, and one by one all hosts are used', async () => {
      await begin(4);
      const others = [
        operator,
        ...['bbbbbbbb', 'cccccccc', 'dddddddd'].map((id) => new Operator(hosts, privateKey, id)),
      ];
      const nodes = (await Promise.all(others.map((each) => each.launch(1)))).flat();
      assert.equal(new Set(nodes.map(({ address }) => address.ssh?.host)).size, 4);
      assert.equal((await failureOf(operator.launch(1, 2))).class, 'capacity');
    });

    it('of two operators exclude each other, and neither sees the leases of the other', async () => {
      await begin(1);
      const other = new Operator(hosts, privateKey, 'bbbbbbbb');
      const [node] = await operator.launch(1);
      assert.equal((await failureOf(other.launch(1))).class, 'capacity');
      assert.deepEqual((await other.page()).nodes, []);
      await operator.terminate(node?.id ?? '');
      assert.equal((await other.launch(1)).length, 1);
    });

    it('share a host that has blocks', async () => {
      await begin(1);
      operator.host = { maxBlocks: 2 };
      const [one] = await operator.launch(1, 1);
      const [two] = await operator.launch(1, 2);
      assert.notEqual(one?.id, two?.id);
      assert.equal((await failureOf(operator.launch(1, 3))).class, 'capacity');
      await operator.terminate(one?.id ?? '');
      assert.deepEqual(
        (await operator.page()).nodes.map(({ id }) => id),
        [two?.id],
      );
    });
  });

  describe('giving back', () => {
    it('leaves nothing behind: no process, no key, no file of the lease', async () => {
      const host = await begin(1);
      const keys = host.authorizedKeys;
      const [node] = await operator.launch(1);
      assert.ok(node);
      const remote = anOperator();
      await start(
        remote.node(targetOf(node, operator.installation)),
        aRun('trap "" TERM; setsid sh -c "trap : TERM; while :; do sleep 1; done" & mkdir -m 0 ~/locked; wait'),
      );
      const marker = `SKY_LEASE=${node.id.split('/')[2]}\0`;
      const locked = join(host.home, '.sky-operator/work', node.id.split('/')[2] ?? '', 'home/locked');
      while (!existsSync(locked)) await systemClock.sleep(20);
      assert.ok(host.processes(marker).length >= 3);

      assert.equal((await operator.terminate(node.id)).get(node.id), 'accepted');
      await remote.close();
      assert.deepEqual(host.processes(marker), []);
      assert.equal(host.authorizedKeys, keys);
      assert.equal(statSync(join(host.home, '.ssh/authorized_keys')).mode & 0o077, 0);
      assert.deepEqual(host.leases(), []);
      assert.ok(!existsSync(locked));
      assert.deepEqual((await operator.page()).nodes, []);
    });

    it('is not undone by a script of the launch that comes late', async () => {
      const host = await begin(1);
      const keys = host.authorizedKeys;
      host.crashes('connection-stalls');
      const [node] = await operator.launch(1);
      assert.equal((await operator.terminate(node?.id ?? '')).get(node?.id ?? ''), 'accepted');
      await host.resumes();
      assert.equal(host.authorizedKeys, keys);
      assert.deepEqual(host.leases(), []);
      assert.deepEqual(readdirSync(join(host.home, '.sky-operator/work')), []);
    });

    it('may be repeated, and says that what is not there is gone', async () => {
      await begin(1);
      const [node] = await operator.launch(1);
      const id = node?.id ?? '';
      const both = await Promise.all([operator.terminate(id), operator.terminate(id)]);
      const said = both.map((answer) => answer.get(id));
      assert.ok(said.every((word) => word === 'accepted' || word === 'gone'));
      const answers = await operator.terminate(id, 'i-0');
      assert.deepEqual([...answers.values()], ['gone', 'gone']);
      const got = await operator.provider.get(operator.cx(), [id]);
      assert.equal((got.get(id) as { class?: string }).class, 'not-found');
    });

    it('of a lease that is gone does not touch the next one on the same host, which is another machine', async () => {
      await begin(1);
      const [old] = await operator.launch(1, 1);
      await operator.terminate(old?.id ?? '');
      const [next] = await operator.launch(1, 2);
      assert.notEqual(next?.id, old?.id);
      assert.equal((await operator.terminate(old?.id ?? '')).get(old?.id ?? ''), 'gone');
      assert.deepEqual((await operator.page()).nodes, [next]);
    });

    it('fails host by host: one that does not answer keeps its lease only', async () => {
      await begin(2);
      const [one, two] = await operator.launch(2);
      await hosts[1]?.shutsOff();
      const answers = await operator.terminate(one?.id ?? '', two?.id ?? '');
      assert.equal(answers.get(one?.id ?? ''), 'accepted');
      assert.equal((answers.get(two?.id ?? '') as { class?: string }).class, 'transient');
    });

    it('that fails keeps the lease and quarantines the host, until a check can clean it', async () => {
      const host = await begin(1);
      operator.host = { maxBlocks: 2 };
      const [node] = await operator.launch(1);
      const id = node?.id ?? '';
      host.canRemove(false);
      const fault = (await operator.terminate(id)).get(id);
      assert.ok(typeof fault === 'object' && fault.class === 'conflict');
      assert.match(fault.native?.message ?? '', /cannot remove \S+work/);
      const [failed] = (await operator.page()).nodes;
      assert.deepEqual([failed?.id, failed?.state], [id, 'failed']);
      assert.match(failed?.reason ?? '', /cannot remove \S+work/);
      assert.equal((await failureOf(operator.launch(1, 2))).class, 'capacity');

      const bad = await operator.provider.check(operator.cx());
      assert.equal(bad.ok, false);
      assert.match(bad.items[0]?.message ?? '', /quarantined: cannot remove \S+work/);
      host.canRemove(true);
      assert.equal((await operator.provider.check(operator.cx())).ok, true);
      assert.deepEqual(host.leases(), []);
      assert.equal((await operator.launch(1, 2)).length, 1);
    });

    it('is shown while it is under way', async () => {
      const host = await begin(1);
      const [node] = await operator.launch(1);
      const lease = node?.id.split('/')[2];
      writeFileSync(join(host.leaseDirectory, `0.${lease}.cleaning`), '');
      assert.deepEqual(await operator.states(), ['terminating']);
      assert.equal((await failureOf(operator.launch(1))).outcome, 'not-started');
    });
  });

  describe('a host', () => {
    it('that does not answer makes the list incomplete for its pool, and is never gone', async () => {
      await begin(2);
      const nodes = await operator.launch(2);
      await hosts[0]?.shutsOff();
      const page = await operator.page();
      assert.deepEqual([page.complete, page.missing], [false, [{ region: POOL }]]);
      assert.deepEqual(page.nodes, nodes.slice(1));
      await hosts[0]?.start();
      assert.deepEqual((await operator.page()).nodes, nodes);
    });

    it('with another host key is refused, told, and leased to nobody', async () => {
      const host = await begin(2);
      await host.shutsOff();
      host.changeHostKey();
      await host.start();
      const report = await operator.provider.check(operator.cx());
      assert.equal(report.ok, true);
      assert.equal(report.items[0]?.message, '1 of 2 hosts can be leased.');
      const [, warning] = report.items;
      assert.deepEqual([warning?.status, warning?.probe, warning?.region], ['warn', 'auth', POOL]);
      assert.match(warning?.message ?? '', /1 left out .*which is not pinned/);
      assert.match(warning?.hint ?? '', /console/);
      const nodes = await operator.launch(1);
      assert.deepEqual(
        nodes.map(({ address }) => address.ssh?.host),
        [hosts[1]?.address],
      );
      assert.equal((await failureOf(operator.launch(1, 2))).class, 'capacity');
      assert.equal((await operator.page()).complete, false);
      assert.deepEqual(host.leases(), []);
    });

    it('that was started anew runs, and says that what ran in the lease is gone', async () => {
      const host = await begin(1);
      await operator.launch(1);
      host.reboots();
      const [node] = (await operator.page()).nodes;
      assert.equal(node?.state, 'running');
      assert.match(node?.reason ?? '', /restarted/);
    });

    it('with a file that is no lease proves nothing, and is leased to nobody', async () => {
      const host = await begin(1);
      await operator.launch(1);
      writeFileSync(join(host.leaseDirectory, '0'), 'x\ny\n');
      assert.equal((await operator.page()).complete, false);
      assert.equal((await failureOf(operator.launch(1, 2))).class, 'capacity');
      assert.match(JSON.stringify((await operator.provider.check(operator.cx())).items), /is no lease/);
    });
  });
});

/** Leases can be written, and what belongs to them cannot. */
function cannotBeSetUp(host: SshHost | undefined): void {
  mkdirSync(join(host?.home ?? '', '.sky-operator'));
  writeFileSync(join(host?.home ?? '', '.sky-operator/work'), '');
}
