import assert from 'node:assert/strict';
import { judge, rules } from '../../src/clouds/conformance/rules.ts';
import { standsOf } from '../../src/clouds/conformance/stand.ts';
import type { Stand } from '../../src/clouds/conformance/stand.ts';
import { ProviderError } from '../../src/clouds/contract.ts';
import type { NodeProvider } from '../../src/clouds/contract.ts';
import { provider as fluffyCloud } from '../../src/clouds/fluffycloud/provider.ts';
import { startFake, worldOf } from '../support/fake-cloud.ts';
import type { Sim } from '../support/sim.ts';

const provider = fluffyCloud(['127.0.0.1']);

describe('the conformance kit', () => {
  const sims = new Map<string, { readonly sim: Sim; readonly stand: Stand }>();
  before(async () => {
    for (const stand of await standsOf('fluffycloud'))
      sims.set(stand.profile ?? '', { stand, sim: await startFake(stand) });
  });
  after(async () => {
    for (const { sim } of sims.values()) await sim.stop();
  });

  let sends = 0;
  const broken: readonly {
    readonly what: string;
    readonly profile: string;
    readonly ids: readonly string[];
    readonly provider: NodeProvider;
  }[] = [
    {
      what: 'makes up a token for every send',
      profile: 'full',
      ids: ['1', '1a', '2'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, { ...request, attempt: { ...request.attempt, token: `fresh-${++sends}` } }),
      },
    },
    {
      what: 'calls a lost answer a failure',
      profile: 'full',
      ids: ['1a', '5'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, request).catch((error: unknown) => {
            throw error instanceof ProviderError
              ? new ProviderError({ ...error.fault, outcome: 'not-started' })
              : error;
          }),
      },
    },
    {
      what: 'sends again after an error, without a token',
      profile: 'fluffy',
      ids: ['1b'],
      provider: {
        ...provider,
        launch: async (cx, request) => {
          await provider.launch(cx, request).catch(() => undefined);
          return provider.launch(cx, request);
        },
      },
    },
    {
      what: 'reports only the last machine of a gang',
      profile: 'fluffy',
      ids: ['4'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, request).catch((error: unknown) => {
            if (!(error instanceof ProviderError)) throw error;
            throw new ProviderError({ ...error.fault, partial: (error.fault.partial ?? []).slice(-1) });
          }),
      },
    },
    {
      what: 'lists only running machines, and believes every list',
      profile: 'full',
      ids: ['5', '7', '8'],
      provider: {
        ...provider,
        async *list(cx, q) {
          for await (const page of provider.list(cx, q)) {
            yield { ...page, complete: true, nodes: page.nodes.filter((node) => node.state === 'running') };
          }
        },
      },
    },
    {
      what: 'quotes the secret in its errors',
      profile: 'full',
      ids: ['15'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, request).catch((error: unknown) => {
            if (!(error instanceof ProviderError)) throw error;
            throw new ProviderError({ ...error.fault, hint: `wrong key ${cx.credential.get('api_key')}` });
          }),
      },
    },
  ];

  for (const { what, profile, ids, provider: liar } of broken) {
    it(`catches a provider that ${what}`, async () => {
      const at = sims.get(profile);
      assert.ok(at);
      const caught = new Set<string>();
      const chosen = rules.filter((rule) => ids.includes(rule.id));
      for await (const { rule, broken: why } of judge(worldOf(at.sim, at.stand, liar), chosen))
        if (why) caught.add(rule.id);
      assert.deepEqual([...caught].sort(), [...ids].sort());
    });
  }
});
