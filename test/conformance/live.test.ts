import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { builtinCatalog } from '../../src/cloudsim/catalog.ts';
import { billableThings } from '../../src/cloudsim/queries.ts';
import { startSim } from '../support/sim.ts';
import type { Sim, SimOptions } from '../support/sim.ts';

const COMMAND = join(import.meta.dirname, '../../hack/conformance/provider.ts');

/** The account is a simulator's: no cloud was ever asked. */
describe('judging a provider before an account', function () {
  this.timeout(60_000);
  let folder: string;
  let sim: Sim;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'sky-live-'))));
  after(() => rm(folder, { recursive: true }));
  afterEach(() => sim?.stop());

  const account = async (options: SimOptions = {}): Promise<void> => {
    sim = await startSim({ clockFactor: 10, ...options });
    await writeFile(join(folder, 'api_key'), `${sim.apiKey}\n`);
  };

  /** Flags that make a run go; a later one takes the place of an earlier one. */
  const runs = (...more: readonly string[]): Running => {
    const fixed = ['--live', '--region=us-east', '--endpoint', sim.api, '--secret-dir', folder, '--poll-seconds=0.2'];
    return running(['fluffycloud', ...fixed, ...more]);
  };

  /** Machines that were ever made. */
  const made = async (): Promise<number> => (await sim.ledger()).filter(({ effect }) => effect === 'created').length;
  const nothingIsLeft = async (): Promise<void> => {
    assert.deepEqual(await sim.billableNow(), []);
    assert.deepEqual(billableThings(await sim.ledger()), []);
  };

  it('tries every rule that needs no fake, says why it skips the others, and leaves foreign machines alone', async () => {
    await account();
    const [decoy] = await sim.decoys({ name: 'sky-abcdefgh-foreign', region: 'us-east' });
    const { code, text } = await runs('--max-usd=5', '--yes').ended;
    assert.equal(code, 0, text);
    assert.match(text, /^at worst \d+ machines for 1800 s each: \$\d\.\d+$/m);
    assert.match(text, /^ok {6}1: the same attempt sent many times/m);
    assert.match(text, /^skipped 4: an atomic gang.*\n {8}needs a cloud that misbehaves on order$/m);
    assert.match(text, /^\d\d passed, 0 failed\nnothing is left: two complete lists of us-east/m);
    assert.ok((await made()) > 10);
    await nothingIsLeft();
    assert.equal((await sim.state()).find(({ id }) => id === decoy)?.state, 'running');
    const { request } = (await sim.ledger()).find(({ effect }) => effect === 'created') ?? assert.fail();
    assert.match(JSON.stringify(request), /poweroff/, 'the machines do not end themselves');
  });

  const refusals: readonly { readonly why: string; readonly flags: readonly string[]; readonly says: RegExp }[] = [
    { why: 'no limit of the cost is given', flags: ['--yes'], says: /--max-usd is needed/ },
    { why: 'the worst is above the limit', flags: ['--max-usd=0.01', '--yes'], says: /it may cost \$0\.\d+, above/ },
    {
      why: 'the type has no price',
      flags: ['--max-usd=5', '--yes', '--instance-type=cpu-3'],
      says: /has no price of cpu-3/,
    },
    { why: 'another account is typed', flags: ['--max-usd=5'], says: /was not confirmed/ },
    {
      why: 'the market is none that it can rent in',
      flags: ['--max-usd=5', '--market=lease'],
      says: /must be on-demand or spot/,
    },
  ];
  for (const { why, flags, says } of refusals) {
    it(`is refused before anything is made when ${why}`, async () => {
      await account();
      const { code, text } = await runs(...flags).typing('acct-2\n').ended;
      assert.deepEqual([code, says.test(text)], [2, true], text);
      assert.equal(await made(), 0);
    });
  }

  it('is refused where the price list knows the type, and not what it costs', async () => {
    const columns = Object.keys(builtinCatalog[0] ?? {});
    const free = builtinCatalog.map((row) => columns.map((name) => ({ ...row, Price: '' })[name as 'Price'] ?? ''));
    const csv = join(folder, '.prices.csv');
    await writeFile(csv, [columns, ...free].map((cells) => cells.join(',')).join('\n'));
    await account({ flags: [`--catalog=${csv}`] });
    const { code, text } = await runs('--max-usd=5', '--yes').ended;
    assert.deepEqual([code, /the cost is unknown/.test(text)], [2, true], text);
    assert.equal(await made(), 0);
  });

  it('goes on when the id of the account is typed', async () => {
    await account();
    const { code, text } = await runs('--max-usd=5', '--rules=14').typing('acct-1\n').ended;
    assert.equal(code, 0, text);
    assert.equal(await made(), 1);
    await nothingIsLeft();
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends everything on ${signal} in the middle of a launch`, async () => {
      await account({ profile: 'named' });
      await writeFile(join(folder, '.config.yaml'), 'profile: named\n');
      await sim.plan({ match: { op: 'launch', nth: 3 }, edge: 'committed', action: 'delay', params: { ms: 500 } });
      const run = runs('--max-usd=5', '--yes', '--config', join(folder, '.config.yaml'));
      while ((await made()) < 3) await delay(20);
      run.kill(signal);
      const { code, text } = await run.ended;
      assert.equal(code, 130, text);
      assert.match(text, new RegExp(`^${signal}: ending everything$`, 'm'));
      assert.match(text, /^nothing is left:/m);
      await nothingIsLeft();
    });
  }

  it('tells what it cannot end, by id, and that it is not done', async () => {
    await account();
    await sim.plan({ match: { op: 'remove' }, edge: 'validated', action: 'ignore' });
    const { code, text } = await runs('--max-usd=5', '--yes', '--rules=14', '--give-up-seconds=1').ended;
    const [left] = await sim.billableNow();
    assert.equal(code, 1, text);
    assert.match(text, new RegExp(`^SOMETHING IS LEFT.*\\n {2}machine ${left?.id} \\(running\\)$`, 'm'));
  });
});

interface Running {
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
  typing(text: string): Running;
  kill(signal: 'SIGINT' | 'SIGTERM'): void;
}

function running(args: readonly string[]): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text }));
  const run: Running = {
    ended,
    typing: (line) => {
      child.stdin.end(line);
      return run;
    },
    kill: (signal) => void child.kill(signal),
  };
  return run;
}
