import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyJob } from '../../src/api/types.gen.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

const isOver = (job: SkyJob) => job.status?.phase === 'Succeeded' || job.status?.phase === 'Failed';

describe('what a job ended with', function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    // Machine ids of its own: another simulator on this host may run meanwhile.
    world = await aWorld({ sim: { seed: process.pid } });
    await world.apply('SkyCluster', 'pair', { numNodes: 2, resources: { cpus: '2+' } });
    await world.kubectl('wait', '--for=condition=Ready', 'skycluster/pair', '--timeout=90s');
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const onPair = (name: string, spec: object) =>
    world.apply('SkyJob', name, { clusterRef: { name: 'pair' }, terminationGracePeriodSeconds: 2, ...spec });
  const ended = (name: string) => world.until('skyjob', name, isOver, 120_000);
  const runs = (name: string) => world.until('skyjob', name, (job) => job.status?.phase === 'Running', 90_000);
  const change = (name: string, spec: object) =>
    world.kubectl('patch', 'skyjob', name, '--type=merge', '-p', JSON.stringify({ spec }));
  const said = async (word: string) =>
    (await world.sim.collected()).map(String).filter((line) => line.startsWith(`${word} `));

  const scripts: [name: string, run: string, code: number, message: RegExp][] = [
    ['exit 0', 'exit 0', 0, /every rank ended with 0/],
    ['exit 1', 'exit 1', 1, /run ended with 1 on rank 0/],
    ['exit 255', 'exit 255', 255, /run ended with 255 on rank 0/],
    ['the shell killed', 'kill -9 $$', 137, /137 \(killed, SIGKILL\)/],
    ['a segmentation fault', 'kill -SEGV $$', 139, /139 \(segmentation fault\)/],
    ['a failing command before one that does not', 'false; true', 0, /ended with 0/],
    ['a failing command that comes last', 'true\nfalse', 1, /ended with 1/],
    ['a failing command under -e', 'set -e\nfalse\necho after', 1, /ended with 1/],
    ['a pipe that fails early', 'false | true', 0, /ended with 0/],
    ['a pipe that fails early under pipefail', 'set -o pipefail; false | true', 1, /ended with 1/],
    ['a command that does not exist', 'no-such-command', 127, /127 \(command not found\)/],
    ['a script of its own interpreter', '#!/bin/sh -e\nfalse\nexit 0', 1, /ended with 1/],
  ];
  it('is reported exactly, whatever the script does', async () => {
    for (const [index, [, run]] of scripts.entries()) await onPair(`code-${index}`, { numNodes: 1, run });
    for (const [index, [name, , code, message]] of scripts.entries()) {
      const job = await ended(`code-${index}`);
      assert.deepEqual(job.status?.attempts?.[0]?.exitCodes, { 0: code }, name);
      assert.equal(job.status?.phase, code === 0 ? 'Succeeded' : 'Failed', name);
      assert.equal(job.status?.reason, code === 0 ? undefined : 'UserError', name);
      assert.match(conditionOf(job, code === 0 ? 'Complete' : 'Failed')?.message ?? '', message, name);
      assert.equal(job.status?.attempts?.length, 1, name);
    }
  }).timeout(400_000);

  it('of a gang is the code of the rank that failed, and the others are stopped', async () => {
    const run = 'if [ "$SKYPILOT_NODE_RANK" = 1 ]; then exit 5; fi; sleep 600';
    await onPair('gang', { run });
    const job = await ended('gang');
    assert.equal(job.status?.attempts?.[0]?.exitCodes?.[1], 5);
    assert.match(conditionOf(job, 'Failed')?.message ?? '', /run ended with 5 on rank 1/);
    const states = job.status?.nodes?.map(({ rank, state }) => [rank, state]);
    assert.deepEqual(states, [
      [0, 'Killed'],
      [1, 'Exited'],
    ]);
    assert.notEqual(job.status?.attempts?.[0]?.exitCodes?.[0], 0);
  });

  it('is tried again on the same machines as often as maxRestartsOnErrors says', async () => {
    const run = 'echo "attempt $SKY_JOB_ATTEMPT"; [ "$SKY_JOB_ATTEMPT" = 2 ]';
    await onPair('again', { numNodes: 1, run, recovery: { maxRestartsOnErrors: 1 } });
    const job = await ended('again');
    assert.equal(job.status?.phase, 'Succeeded');
    assert.equal(job.status?.restarts, 1);
    const attempts = job.status?.attempts ?? [];
    assert.deepEqual(
      attempts.map(({ ordinal, reason, exitCodes }) => [ordinal, reason, exitCodes]),
      [
        [2, 'Succeeded', { 0: 0 }],
        [1, 'UserError', { 0: 1 }],
      ],
    );
    assert.deepEqual(attempts[0]?.nodeIds, attempts[1]?.nodeIds);
  });

  it('moves the job to another machine where recoverOnExitCodes names it', async () => {
    await world.apply('SkyJob', 'moved', {
      cluster: { resources: { cpus: '2+' } },
      run: '[ "$SKY_JOB_ATTEMPT" != 1 ] || exit 75',
      recovery: { recoverOnExitCodes: [75] },
    });
    const job = await ended('moved');
    assert.equal(job.status?.phase, 'Succeeded');
    assert.deepEqual([job.status?.recoveries, job.status?.restarts ?? 0], [1, 0]);
    const [second, first] = job.status?.attempts ?? [];
    assert.deepEqual(first?.exitCodes, { 0: 75 });
    assert.notDeepEqual(second?.nodeIds, first?.nodeIds);
  });

  it('has nothing to do with what its environment holds: values arrive byte by byte, secrets nowhere else', async () => {
    const canary = 'canary-7f3a "$(touch /tmp/x)" \'q\'\nline two \\ $HOME `id`\n\n';
    const inline = ' "double" \'single\' $(exit 3) `false` \\n\ttab\nsecond line\n';
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'input' }, stringData: { token: canary } };
    await world.plane.kubectl(['-n', world.namespace, 'apply', '-f', '-'], { input: JSON.stringify(secret) });
    await onPair('env', {
      numNodes: 1,
      env: [
        { name: 'FROM_SECRET', valueFrom: { secretKeyRef: { name: 'input', key: 'token' } } },
        { name: 'INLINE', value: inline },
      ],
      run: `echo "$FROM_SECRET"
        for v in FROM_SECRET INLINE; do curl -s -d "env $v $(printenv $v | base64 -w0)" "$SKY_SIM_COLLECTOR"; done`,
    });

    const job = await ended('env');
    assert.equal(job.status?.phase, 'Succeeded');
    const got = new Map((await said('env')).map((line) => line.split(' ').slice(1) as [string, string]));
    const decode = (name: string) => Buffer.from(got.get(name) ?? '', 'base64').toString('utf8');
    // printenv ends each value with a newline.
    assert.equal(decode('FROM_SECRET'), `${canary}\n`);
    assert.equal(decode('INLINE'), `${inline}\n`);

    const objects = await world.kubectl('get', 'skyjobs,skyclusters,events', '-o', 'yaml');
    const log = await world.operator.log();
    for (const [where, text] of Object.entries({ objects, log })) assert.ok(!text.includes('canary-7f3a'), where);
    assert.match(job.status?.logTail ?? '', /\*\*\*|REDACTED/i);
  });

  it('is Cancelled when it was told so, and its processes are gone', async () => {
    const run = 'sleep 6173 & setsid sleep 6173 & wait';
    await onPair('cancelled', { run });
    await runs('cancelled');
    await change('cancelled', { cancel: true });
    const job = await ended('cancelled');
    assert.deepEqual([job.status?.phase, job.status?.reason], ['Failed', 'Cancelled']);
    assert.equal(job.status?.attempts?.length, 1);

    const look = "! cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q 'sleep [6]173'";
    await onPair('look', { run: look });
    assert.equal((await ended('look')).status?.phase, 'Succeeded');
  });

  it('waits for a suspend to be taken back, and goes on with the next attempt', async () => {
    const run = 'curl -s -d "suspended $SKY_JOB_ATTEMPT" "$SKY_SIM_COLLECTOR"; [ "$SKY_JOB_ATTEMPT" = 2 ] || sleep 600';
    await onPair('suspended', { numNodes: 1, run });
    await runs('suspended');
    // A script that is stopped as soon as it runs may not have come as far as its first line.
    while ((await said('suspended')).length === 0) await delay(100);
    await change('suspended', { suspend: true });
    await world.kubectl('wait', '--for=condition=Suspended', 'skyjob/suspended', '--timeout=60s');
    const still = await world.get('skyjob', 'suspended');
    assert.equal(still?.status?.phase, 'Pending');
    assert.equal(conditionOf(still ?? {}, 'Ready')?.reason, 'Suspended');

    await change('suspended', { suspend: false });
    const job = await ended('suspended');
    assert.equal(job.status?.phase, 'Succeeded');
    assert.deepEqual(await said('suspended'), ['suspended 1', 'suspended 2']);
    assert.deepEqual([job.status?.recoveries ?? 0, job.status?.restarts ?? 0], [0, 0]);
  });

  it('is DeadlineExceeded when it ran for longer than activeDeadlineSeconds', async () => {
    await onPair('late', { numNodes: 1, run: 'sleep 600', activeDeadlineSeconds: 2 });
    const job = await ended('late');
    assert.deepEqual([job.status?.phase, job.status?.reason], ['Failed', 'DeadlineExceeded']);
  });

  it('is forgotten after ttlSecondsAfterFinished', async () => {
    await onPair('brief', { numNodes: 1, run: 'true', ttlSecondsAfterFinished: 1 });
    await ended('brief').catch(() => undefined);
    await world.gone('skyjob', 'brief');
  });
});
