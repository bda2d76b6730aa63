import assert from 'node:assert/strict';
import { judge, rules } from '../../src/clouds/conformance/rules.ts';
import { standsOf } from '../../src/clouds/conformance/stand.ts';
import type { Stand } from '../../src/clouds/conformance/stand.ts';
import { ProviderError } from '../../src/clouds/contract.ts';
import type { LaunchRequest, NodeProvider } from '../../src/clouds/contract.ts';
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
  const told = new Set<string>();
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
    {
      what: 'has machines only tagged after they were made, under names that say nothing',
      profile: 'fluffy',
      ids: ['3'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, { ...request, slots: request.slots.map((slot) => ({ ...slot, name: 'machine' })) }),
      },
    },
    {
      what: 'sends a launch again when the cloud had an error, and asks no budget',
      profile: 'full',
      ids: ['6'],
      provider: {
        ...provider,
        launch: (cx, request) => {
          const unpaced = { ...cx, budget: { ...cx.budget, take: async () => {} } };
          return provider.launch(unpaced, request).catch(() => provider.launch(unpaced, request));
        },
      },
    },
    {
      what: 'throws for a whole batch when one id is unknown',
      profile: 'full',
      ids: ['9'],
      provider: {
        ...provider,
        terminate: async (cx, ids) => {
          if (ids.includes('i-nonsense')) throw new ProviderError({ class: 'not-found', outcome: 'not-started' });
          return provider.terminate(cx, ids);
        },
      },
    },
    {
      what: 'says that it has stopped what cannot be stopped',
      profile: 'fluffy',
      ids: ['10'],
      provider: { ...provider, stop: async (_cx, ids) => new Map(ids.map((id) => [id, 'accepted'])) },
    },
    {
      what: 'takes every machine that ended for a preempted one',
      profile: 'full',
      ids: ['11'],
      provider: {
        ...provider,
        async *list(cx, q) {
          for await (const page of provider.list(cx, q)) {
            yield {
              ...page,
              nodes: page.nodes.map((node) => ({ ...node, state: node.state === 'failed' ? 'preempted' : node.state })),
            };
          }
        },
      },
    },
    {
      what: 'ends machines when it cleans up',
      profile: 'full',
      ids: ['12'],
      provider: {
        ...provider,
        cleanup: async (cx, q) => {
          for await (const { nodes } of provider.list(cx, q.owner))
            await provider.terminate(
              cx,
              nodes.map(({ id }) => id),
            );
          return { remaining: [] };
        },
      },
    },
    {
      what: 'prepares a network for every caller',
      profile: 'full',
      ids: ['13'],
      provider: { ...provider, prepare: async () => ({ handle: `net-${++sends}` }) },
    },
    {
      what: 'cuts the values of tags',
      profile: 'full',
      ids: ['14'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, {
            ...request,
            tags: Object.fromEntries(Object.entries(request.tags).map(([key, value]) => [key, value.slice(0, 3)])),
          }),
      },
    },
    {
      what: 'tries a launch to see whether the key works',
      profile: 'full',
      ids: ['16'],
      provider: {
        ...provider,
        check: async (cx) => {
          await provider.launch(cx, worldRequest()).catch(() => undefined);
          return provider.check(cx);
        },
      },
    },
    {
      what: 'has prices that change between two looks',
      profile: 'full',
      ids: ['17'],
      provider: {
        ...provider,
        async *catalog(cx, q) {
          for await (const row of provider.catalog(cx, q)) yield { ...row, price: ++sends };
        },
      },
    },
    {
      what: 'forgets its machines when it is aborted',
      profile: 'fluffy',
      ids: ['19'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, request).catch((error: unknown) => {
            if (!(error instanceof ProviderError)) throw error;
            throw new ProviderError({ ...error.fault, outcome: 'not-started', partial: [] });
          }),
      },
    },
    {
      what: 'takes whatever has its name for its own',
      profile: 'named',
      ids: ['1a'],
      provider: {
        ...provider,
        launch: (cx, request) =>
          provider.launch(cx, request).catch(async (error: unknown) => {
            if (!(error instanceof ProviderError) || error.fault.class !== 'conflict') throw error;
            const nodes = [];
            for await (const page of provider.list(cx, request.owner)) nodes.push(...page.nodes);
            return { nodes, refused: [], effective: request.offering };
          }),
      },
    },
    {
      what: 'forgets what is beside machines',
      profile: 'named',
      ids: ['12'],
      provider: { ...provider, cleanup: async () => ({ remaining: [] }) },
    },
    {
      what: 'hides the machines that failed after they were accepted',
      profile: 'accepted',
      ids: ['4'],
      provider: {
        ...provider,
        async *list(cx, q) {
          for await (const page of provider.list(cx, q))
            yield { ...page, nodes: page.nodes.filter(({ state }) => state !== 'failed') };
        },
      },
    },
    {
      what: 'believes that a start has brought everything back',
      profile: 'flaky-gpu',
      ids: ['10'],
      provider: {
        ...provider,
        start: async (cx, ids) => {
          await provider.start?.(cx, ids);
          return new Map(ids.map((id) => [id, 'accepted']));
        },
      },
    },
    {
      what: 'believes only events that a machine was taken back',
      profile: 'full',
      ids: ['18'],
      provider: {
        ...provider,
        async *watch(cx, q) {
          for await (const event of provider.watch?.(cx, q) ?? []) {
            if (event.kind === 'preempted') told.add(event.id);
            yield event;
          }
        },
        async *list(cx, q) {
          for await (const page of provider.list(cx, q)) {
            const nodes = page.nodes.map((node) =>
              node.state === 'preempted' && !told.has(node.id) ? { ...node, state: 'running' as const } : node,
            );
            yield { ...page, nodes };
          }
        },
      },
    },
    {
      what: 'goes on to watch for nobody',
      profile: 'full',
      ids: ['18'],
      provider: {
        ...provider,
        watch: (cx, q) => provider.watch?.({ ...cx, signal: new AbortController().signal }, q) ?? noEvents(),
      },
    },
    {
      what: 'leaves a timer running',
      profile: 'full',
      ids: ['20'],
      provider: {
        ...provider,
        async *list(cx, q) {
          cx.clock.timer(60_000, () => {});
          yield* provider.list(cx, q);
        },
      },
    },
  ];

  it('has a broken provider for every rule', () => {
    const caught = new Set(broken.flatMap(({ ids }) => ids));
    assert.deepEqual(
      [...new Set(rules.map(({ id }) => id))].filter((id) => !caught.has(id)),
      [],
    );
  });

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

async function* noEvents(): AsyncIterable<never> {}

function worldRequest(): LaunchRequest {
  return {
    owner: { installation: 'abcdefgh', uid: 'uid-1', display: 'default/one' },
    attempt: { ordinal: 99, token: 'token-check', requestHash: 'hash' },
    offering: { region: 'us-east', zone: 'us-east-a', instanceType: 'cpu-2', market: 'on-demand' },
    slots: [{ index: 0, name: 'sky-check' }],
    minNodes: 1,
    image: {},
    disk: { sizeGiB: 20 },
    bootstrap: { authorizedKeys: [] },
    network: { publicIp: true, ports: [] },
    tags: {},
  };
}
