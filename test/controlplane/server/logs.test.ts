import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SkyJobStatus } from '../../../src/api/types.gen.ts';
import { findBinaries } from '../../../hack/controlplane/binaries.ts';
import { freshNamespace } from '../../support/controlplane.ts';
import { eventually } from '../kube/support.ts';
import { aLogsApi, logPath } from './support.ts';

const attempt = (ordinal: number, nodes: number) => ({
  ordinal,
  placement: { infra: `fluffycloud/north/${ordinal}` },
  nodeIds: Array.from({ length: nodes }, (_, rank) => `i-${rank}`),
});
const running = (nodes = 1): SkyJobStatus => ({ phase: 'Running', attempts: [attempt(1, nodes)] });
const cleanedUp = {
  type: 'CleanedUp',
  status: 'True' as const,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  reason: 'NothingLeft',
  message: 'nothing is rented',
};

describe('the logs API', function () {
  this.timeout(60_000);
  let server: Awaited<ReturnType<typeof aLogsApi>>;
  let namespace: string;
  let asReader: string[];
  let kubectl: string;

  before(async () => {
    server = await aLogsApi();
    ({ kubectl } = await findBinaries());
    namespace = await freshNamespace();
    const grant = ['create', 'rolebinding', 'reader', '--clusterrole=sky-edit', '--user=reader', '-n', namespace];
    await server.must(grant);
    asReader = ['--kubeconfig', await server.plane.kubeconfigFor({ user: 'reader' })];
    await eventually('the grant works', async () => /not found/.test((await read('absent')).stderr));
  });
  after(() => server.stop());

  const read = (name: string, query = '') =>
    server.plane.kubectl([...asReader, 'get', '--raw', logPath(namespace, name, query)]);

  async function follow(name: string, query = '?follow=true') {
    const child = spawn(kubectl, [...asReader, 'get', '--raw', logPath(namespace, name, query)]);
    const ended = once(child, 'exit');
    let text = '';
    child.stdout.on('data', (part: Buffer) => (text += part.toString()));
    return {
      shows: (expected: string) => eventually(`${expected} in ${text}`, () => text.includes(expected)),
      end: async () => {
        const [code] = (await ended) as [number];
        return { code, text };
      },
      kill: () => child.kill(),
    };
  }

  it('shows the log of a job to a user with a client certificate', async () => {
    const job = await server.job(namespace, 'one', running());
    job.append('1/0', 'first\nsecond\n');
    const { stdout, stderr } = await read('one');
    assert.equal(stdout, 'first\nsecond\n', stderr);
  });

  it('names the rank of each line when there is more than one', async () => {
    const job = await server.job(namespace, 'two', running(2));
    job.append('1/0', 'from zero\n');
    job.append('1/1', 'from one\nunfinished');
    assert.equal((await read('two')).stdout, '(rank=0) from zero\n(rank=1) from one\n(rank=1) unfinished\n');
    assert.equal((await read('two', '?rank=1&tailLines=1')).stdout, 'unfinished\n');
    assert.equal((await read('two', '?rank=0&sinceOffset=5')).stdout, 'zero\n');
  });

  it('shows no control sequence and no secret that the operator has read', async () => {
    const job = await server.job(namespace, 'rude', running());
    server.secrets.learn('hunter2-hunter2');
    job.append('1/0', '\u001b[31mred\u202e the password is hunter2-hunter2\n10%\r20%\r\n');
    assert.equal((await read('rude')).stdout, '\\u001b[31mred\\u202e the password is [redacted]\n10%\n20%\n');
  });

  it('follows a job over its attempts to its end', async () => {
    const job = await server.job(namespace, 'moved', running());
    job.append('1/0', 'before\n');
    const reading = await follow('moved');
    await reading.shows('before');
    job.append('1/0', 'later\n');
    await reading.shows('later');
    const attempts = [attempt(2, 1), { ...attempt(1, 1), endedAt: '2026-01-01T00:00:00Z' }];
    await server.job(namespace, 'moved', { attempts });
    await reading.shows('--- attempt 2 in fluffycloud/north/2 ---\n');
    job.append('2/0', 'again\n');
    await reading.shows('again');
    await server.job(namespace, 'moved', { phase: 'Succeeded' });
    job.append('2/0', 'collected after the end');
    await server.job(namespace, 'moved', { conditions: [cleanedUp] });
    const { code, text } = await reading.end();
    assert.equal(code, 0);
    const marker = '--- attempt 2 in fluffycloud/north/2 ---';
    assert.equal(text, `before\nlater\n${marker}\nagain\ncollected after the end\n--- Succeeded\n`);
  });

  it('says at the end of a failed job why it failed', async () => {
    const failed = { ...cleanedUp, type: 'Failed', message: 'run ended with 3 on rank 0' };
    await server.job(namespace, 'failed', {
      ...running(),
      phase: 'Failed',
      reason: 'UserError',
      conditions: [failed, cleanedUp],
    });
    assert.equal((await read('failed', '?follow=true')).stdout, '--- Failed: UserError: run ended with 3 on rank 0\n');
  });

  for (const [query, message] of [
    ['?folow=true', 'folow: unknown'],
    ['?follow=1', 'follow: must be true or false'],
    ['?rank=0&rank=1', 'rank: given more than once'],
    ['?rank=-1', 'rank: must be an integer from 0 to 999'],
    ['?tailLines=10001', 'tailLines: must be an integer from 0 to 10000'],
    ['?sinceOffset=3', 'sinceOffset: needs rank'],
    ['?attempt=7', 'attempt: the job has no attempt 7'],
    ['?rank=1', 'rank: the job has ranks 0 to 0'],
  ] as const) {
    it(`refuses ${query}, naming the parameter`, async () => {
      await server.job(namespace, 'asked', running());
      const { code, stderr } = await read('asked', query);
      assert.equal(code, 1);
      assert.ok(stderr.includes(message), stderr);
    });
  }

  it('refuses a user without the right, the same whether or not the job exists', async () => {
    await server.job(namespace, 'secret', running());
    const kubeconfig = await server.plane.kubeconfigFor({ user: 'stranger' });
    const refused = await server.plane.kubectl([
      '--kubeconfig',
      kubeconfig,
      'get',
      '--raw',
      logPath(namespace, 'secret'),
    ]);
    assert.match(refused.stderr, /Forbidden/);
    const token = await tokenOf('stranger');
    const authorization = `Bearer ${token}`;
    const present = await server.direct(logPath(namespace, 'secret'), { authorization });
    const absent = await server.direct(logPath(namespace, 'absent'), { authorization });
    assert.deepEqual([present.code, absent.code], [403, 403]);
    assert.equal(present.text.replaceAll('secret', 'absent'), absent.text);
  });

  async function tokenOf(account: string, ...flags: readonly string[]) {
    const exists = await server.plane.kubectl(['-n', namespace, 'get', 'serviceaccount', account]);
    if (exists.code !== 0) await server.must(['-n', namespace, 'create', 'serviceaccount', account]);
    return (await server.must(['-n', namespace, 'create', 'token', account, ...flags])).trim();
  }

  it('takes the token of a service account that may read, and no other credential', async () => {
    const job = await server.job(namespace, 'direct', running());
    job.append('1/0', 'hello\n');
    const token = await tokenOf('robot');
    const subject = `--serviceaccount=${namespace}:robot`;
    await server.must(['-n', namespace, 'create', 'rolebinding', 'robot', '--clusterrole=sky-edit', subject]);
    const path = logPath(namespace, 'direct');
    const answer = await server.direct(path, { authorization: `Bearer ${token}` });
    assert.deepEqual(answer, { code: 200, text: 'hello\n' });
    const elsewhere = await tokenOf('robot', '--audience=elsewhere');
    for (const headers of [
      {},
      { authorization: `Bearer ${elsewhere}` },
      { authorization: 'Bearer x.y.z' },
      { authorization: 'Basic cm9ib3Q6' },
      { 'x-remote-user': 'reader', 'x-remote-group': 'system:masters' },
    ] as Record<string, string>[])
      assert.equal((await server.direct(path, headers)).code, 401);
    const absent = await server.direct(logPath(namespace, 'absent'), { authorization: `Bearer ${token}` });
    assert.equal(absent.code, 404);
  });

  it('says so while nobody leads', async () => {
    await server.job(namespace, 'far', running());
    server.state.leads = false;
    const { stderr } = await read('far').finally(() => {
      server.state.leads = true;
    });
    assert.match(stderr, /no operator leads now/);
  });

  it('is reached at a follower too, which hands on who asks', async () => {
    const job = await server.job(namespace, 'handed', running());
    job.append('1/0', 'from the leader\n');
    const reader = { authorization: `Bearer ${await tokenOf('robot')}` };
    const path = logPath(namespace, 'handed');
    const answer = await server.direct(path, reader, server.followerPort);
    assert.deepEqual(answer, { code: 200, text: 'from the leader\n' });
    const wrong = await server.direct(`${path}?attempt=9`, reader, server.followerPort);
    assert.equal(wrong.code, 400);
    const stranger = { authorization: `Bearer ${await tokenOf('stranger')}` };
    assert.equal((await server.direct(path, stranger, server.followerPort)).code, 403);
    server.state.leads = false;
    const nobody = await server.direct(path, reader, server.followerPort).finally(() => {
      server.state.leads = true;
    });
    assert.equal(nobody.code, 503);
  });

  it('opens ten logs at once for one user, and no more', async () => {
    await server.job(namespace, 'busy', running());
    const readings = await Promise.all(Array.from({ length: 10 }, () => follow('busy')));
    await eventually('an eleventh is refused', async () => /more than 10 logs/.test((await read('busy')).stderr));
    for (const reading of readings) reading.kill();
    await eventually('there is room again', async () => (await read('busy')).code === 0);
  });
});
