import assert from 'node:assert/strict';
import { BadLine, type Api, type Page, type WatchEvent } from '../../../src/kube/api.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { reflector } from '../../../src/kube/reflector.ts';
import type { ConfigMap } from '../../../src/kube/resources.ts';
import { CONFIG_MAPS } from '../../../src/kube/resources.ts';
import { silentLogger } from '../../../src/log.ts';
import { fakeClock, seededRandom } from '../../support/clock.ts';

type Watch = (signal: AbortSignal) => AsyncGenerator<WatchEvent<ConfigMap>>;

/** Never says anything until it is aborted. */
async function* silent(signal: AbortSignal): AsyncGenerator<WatchEvent<ConfigMap>> {
  yield await new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

async function* failing(error: Error): AsyncGenerator<WatchEvent<ConfigMap>> {
  yield raise(error);
}

function raise(error: Error): never {
  throw error;
}

const bookmark = (resourceVersion: string): WatchEvent<ConfigMap> => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion } } as KubeObject,
});

/** A reflector whose lists and watches are scripted; the last watch stays for ever. */
function aReflector(script: { lists?: (Error | string)[]; watches: Watch[] }) {
  const clock = fakeClock();
  const lists = [...(script.lists ?? []), '1'];
  const asked: string[] = [];
  const api = {
    type: CONFIG_MAPS,
    pages: async function* (): AsyncGenerator<Page<ConfigMap>> {
      const next = lists.shift() ?? '1';
      asked.push('list');
      if (next instanceof Error) throw next;
      yield { items: [], resourceVersion: next };
    },
    watch: async ({ resourceVersion, signal }: { resourceVersion: string; signal: AbortSignal }) => {
      asked.push(`watch ${resourceVersion}`);
      return (script.watches.shift() ?? silent)(signal);
    },
  } as unknown as Api<ConfigMap>;
  const made = reflector(api, { clock, random: seededRandom(), log: silentLogger, metrics: kubeMetrics() });
  const stop = new AbortController();
  const running = made.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { clock, made, asked, end };
}

describe('a reflector that is told lies', () => {
  it('ends a watch that has been silent for 120 s and resumes from its version', async () => {
    const { clock, asked, end } = aReflector({ watches: [silent] });
    await clock.advance(119_000);
    assert.deepEqual(asked, ['list', 'watch 1']);
    await clock.advance(2_000);
    assert.deepEqual(asked, ['list', 'watch 1', 'watch 1']);
    await end();
  });

  it('takes a bookmark for news of the version, and for a sign of life', async () => {
    const { clock, made, asked, end } = aReflector({
      watches: [
        async function* (signal) {
          await clock.sleep(100_000);
          yield bookmark('7');
          yield* silent(signal);
        },
      ],
    });
    await clock.advance(150_000);
    assert.deepEqual(asked, ['list', 'watch 1']);
    assert.ok(made.store.hasReached('7'));
    await clock.advance(80_000);
    assert.deepEqual(asked, ['list', 'watch 1', 'watch 7']);
    await end();
  });

  it('lists again after a line that is no JSON', async () => {
    const { clock, asked, end } = aReflector({ lists: ['1', '2'], watches: [() => failing(new BadLine(9))] });
    await clock.advance(1_000);
    assert.deepEqual(asked, ['list', 'watch 1', 'list', 'watch 2']);
    await end();
  });

  it('starts a list over whose token expired, and is not synced by half of one', async () => {
    const expired = new KubeError({ code: 410, reason: 'Expired', message: 'token too old' });
    const { clock, made, asked, end } = aReflector({ lists: [expired, '3'], watches: [] });
    assert.equal(made.store.synced, false);
    await clock.advance(1_000);
    assert.deepEqual(asked, ['list', 'list', 'watch 3']);
    assert.equal(made.store.synced, true);
    await end();
  });

  it('asks a server that fails at most every 30 s, and ever less often until then', async () => {
    const refused = () => failing(new KubeError({ code: 500, reason: 'InternalError', message: 'no' }));
    const { clock, made, asked, end } = aReflector({ watches: Array.from({ length: 1_000 }, () => refused) });
    await clock.advance(600_000);
    assert.ok(asked.length < 80, `${asked.length} calls`);
    assert.equal(made.trouble(), 'no');
    await end();
  });
});
