import assert from 'node:assert/strict';
import { ProviderError } from '../../../src/clouds/contract.ts';
import type { Account } from '../../../src/controllers/accounts/account.ts';
import { Terminations } from '../../../src/controllers/accounts/terminations.ts';
import { fakeClock } from '../../support/clock.ts';

/** An account that notes the ids of each call. */
function accountNoting(calls: string[][], failure?: ProviderError): Account {
  const provider = {
    terminate: async (_cx: unknown, ids: readonly string[]) => {
      calls.push([...ids]);
      if (failure) throw failure;
      return new Map(ids.map((id) => [id, 'accepted']));
    },
  };
  const call = (_operation: string, run: (cx: never) => Promise<unknown>) => run(undefined as never);
  return { name: 'a', provider, call } as unknown as Account;
}

describe('terminations', () => {
  it('of clusters that end together are one call', async () => {
    const [clock, calls] = [fakeClock(), [] as string[][]];
    const [terminations, account] = [new Terminations(clock), accountNoting(calls)];
    const answers = ['i-1', 'i-2', 'i-1'].map((id) => terminations.end(account, [id]));
    await clock.advance(35);
    assert.deepEqual(calls, [['i-1', 'i-2']]);
    assert.equal((await answers[1])?.get('i-2'), 'accepted');
  });

  it('wait for others no longer than a second, however many come', async () => {
    const [clock, calls] = [fakeClock(), [] as string[][]];
    const [terminations, account] = [new Terminations(clock), accountNoting(calls)];
    for (let n = 0; n < 60; n++) {
      void terminations.end(account, [`i-${n}`]);
      await clock.advance(20);
    }
    assert.equal(calls.length, 1);
    assert.ok((calls[0]?.length ?? 0) >= 49, `${calls[0]?.length} ids`);
  });

  it('that the cloud refuses as a whole fail for everybody who asked', async () => {
    const clock = fakeClock();
    const refused = new ProviderError({ class: 'auth', outcome: 'not-started' });
    const [terminations, account] = [new Terminations(clock), accountNoting([], refused)];
    const answers = ['i-1', 'i-2'].map((id) => assert.rejects(terminations.end(account, [id]), refused));
    await clock.advance(35);
    await Promise.all(answers);
  });
});
