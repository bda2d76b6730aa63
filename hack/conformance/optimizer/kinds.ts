/** Runs a case of any kind through the public function of its kind; returns what is compared with `expect`. */
import type { ResourceRequest } from '../../../src/api/types.gen.ts';
import { type CatalogSource, isDue, refusal } from '../../../src/catalog/refresh.ts';
import { egressMicro } from '../../../src/optimizer/dag/egress.ts';
import { isChain, type Node } from '../../../src/optimizer/dag/graph.ts';
import { planPipeline } from '../../../src/optimizer/dag/pipeline.ts';
import { addExclusion, matches } from '../../../src/optimizer/exclusion.ts';
import { differences, type RunningCluster } from '../../../src/optimizer/fit.ts';
import { acceleratorOfLabel } from '../../../src/optimizer/local/gpu-label.ts';
import { shortages } from '../../../src/optimizer/local/shortage.ts';
import { localTypeName, localTypeOf } from '../../../src/optimizer/local/type-name.ts';
import { isProviderWord } from '../../../src/optimizer/providers.ts';
import { acceleratorsOf, normalAccelerators } from '../../../src/optimizer/request/accelerators.ts';
import { alternativesOf } from '../../../src/optimizer/request/alternatives.ts';
import { imageFor } from '../../../src/optimizer/request/image.ts';
import { infraDisplay, infraOf, infraText, parseInfra } from '../../../src/optimizer/request/infra.ts';
import { isValidLabel } from '../../../src/optimizer/request/labels.ts';
import { portRanges, portText } from '../../../src/optimizer/request/ports.ts';
import { normalCpus, normalMemory } from '../../../src/optimizer/request/quantity.ts';
import { canonicalName } from '../../../src/optimizer/search/accelerators.ts';
import { usd } from '../../../src/optimizer/text.ts';
import type { Candidate } from '../../../src/optimizer/types.ts';
import { microOf } from '../../../src/provision/money.ts';
import { type Case, type Catalogs, type Fields, optionalText, present, text } from './case.ts';
import { convertField, convertTask } from './convert.ts';
import { failover, plan } from './plan.ts';

const NOWHERE = { cloud: null, region: null, zone: null };

type Run = (test: Case, catalogs: Catalogs) => Fields;

export const KINDS: Readonly<Record<string, Run>> = {
  infra: ({ request: { infra } }) => ({ ...NOWHERE, ...(typeof infra === 'string' ? parseInfra(infra, 'infra') : {}) }),
  'infra-render': ({ request }) => ({ text: infraText(infraFrom(request)) ?? null }),
  'infra-display': ({ request }) => ({ text: infraDisplay(infraFrom(request)) }),
  scalar,
  ports: ({ request: { ports } }) => ({ ports: portRanges(ports as string[]).map(portText) }),
  image: ({ request }) => ({ image: imageFor(text(request['provider']), text(request['image'])) }),
  alternatives,
  canonical,
  exclusion: ({ request: { candidate, pattern } }) => ({
    match: matches(present(pattern as Fields), candidate as Candidate),
  }),
  'exclusion-add': exclusionAdd,
  plan,
  failover,
  egress: ({ request }) => ({ usd: usd(egressMicro(text(request['provider']), Number(request['sizeGiB']))) }),
  dag,
  'graph-shape': ({ request: { stages } }) => ({ chain: isChain(stages as Node[]) }),
  'local-type': localType,
  'local-type-parse': localTypeParse,
  'gpu-label': ({ request }) => ({ accelerator: acceleratorOfLabel(text(request['label'])) }),
  'scheduling-message': ({ request }) => ({ short: shortages(text(request['message'])) }),
  fit,
  label: ({ request: { provider, key, value } }) => ({
    valid: isValidLabel(text(provider), text(key), text(value)) ?? false,
  }),
  refresh,
  'convert-field': convertField,
  convert: convertTask,
};

function infraFrom({ cloud, region, zone }: Fields) {
  return infraOf(optionalText(cloud), optionalText(region), optionalText(zone));
}

function scalar({ field = '', request }: Case): Fields {
  const value = request[field];
  switch (field) {
    case 'cpus':
      return { normal: normalCpus(value, field) };
    case 'memory':
      return { normal: normalMemory(value, field) };
    case 'accelerators':
      return { normal: normalAccelerators(value, field) };
    default:
      throw new Error(`no scalar field ${field}`);
  }
}

function alternatives({ request }: Case): Fields {
  const { mode, alternatives } = alternativesOf(request);
  return { mode, alternatives: alternatives.map((alternative) => alternative.request) };
}

function canonical({ request: { known, text: asked, cloud } }: Case): Fields {
  const names = Object.entries(known as Readonly<Record<string, string[]>>);
  const offered = names.filter(([, clouds]) => cloud === null || clouds.includes(text(cloud))).map(([name]) => name);
  const all = names.map(([name]) => name);
  return { accelerator: canonicalName(text(asked), { known: all, offered }, 'accelerators') };
}

interface TimedPattern {
  readonly pattern: Fields;
  readonly expiresAt: number;
}

function exclusionAdd({ request: { now, store, add } }: Case): Fields {
  const timed = ({ pattern, expiresAt }: TimedPattern) => ({
    ...present(pattern),
    expiresAt: iso(expiresAt),
    entry: { pattern, expiresAt },
  });
  const after = addExclusion((store as TimedPattern[]).map(timed), timed(add as TimedPattern), Number(now) * 1_000);
  return { store: after.map(({ entry }) => entry) };
}

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

interface StageFields extends Node {
  readonly outputGiB?: string;
  readonly runtimeSeconds?: number;
  readonly candidates: readonly { id: string; provider: string; hourlyPrice: string; startupSeconds?: number }[];
}

const DEFAULT_STARTUP_SECONDS = 120;

function dag({ request: { stages, optimize } }: Case): Fields {
  const objective = optimize === 'Time' ? 'Time' : 'Cost';
  const parsed = (stages as StageFields[]).map(({ outputGiB, candidates, ...stage }) => ({
    ...stage,
    outputGiB: Number(outputGiB ?? 0),
    candidates: candidates.map(({ hourlyPrice, startupSeconds, ...candidate }) => ({
      ...candidate,
      hourlyMicro: microOf(hourlyPrice),
      startupSeconds: startupSeconds ?? DEFAULT_STARTUP_SECONDS,
    })),
  }));
  const { assignment, total } = planPipeline(parsed, objective);
  return { assignment, total: objective === 'Time' ? String(total / 1_000) : usd(total) };
}

function localType({ request }: Case): Fields {
  const wanted =
    request['accelerators'] === undefined
      ? undefined
      : acceleratorsOf(normalAccelerators(request['accelerators'], 'accelerators'));
  return {
    text: localTypeName({
      cpus: Number(request['cpus']),
      memoryGiB: Number(request['memory']),
      ...(wanted?.kind === 'name' ? { accelerator: wanted } : {}),
    }),
  };
}

function localTypeParse({ request }: Case): Fields {
  const { cpus, memoryGiB, accelerator } = localTypeOf(text(request['text']));
  return {
    cpus: String(cpus),
    memory: String(memoryGiB),
    ...(accelerator ? { accelerators: `${accelerator.name}:${accelerator.count}` } : {}),
  };
}

function fit({ request: { cluster, resources, numNodes, ports } }: Case): Fields {
  const { cloud, vCPUs, memoryGiB, ...rest } = present(cluster as Fields);
  const name = text(cloud);
  const running = {
    ...rest,
    cloud: name,
    provider: isProviderWord(name) ? name : 'plugin',
    vCPUs: Number(vCPUs),
    memoryGiB: Number(memoryGiB),
  } as unknown as RunningCluster;
  const differs = differences(running, {
    resources: resources as ResourceRequest,
    numNodes: Number(numNodes ?? 1),
    ports: (ports ?? []) as string[],
  });
  return differs.length === 0 ? { fits: true } : { fits: false, differs };
}

const REFUSED = 'CatalogRejected';

function refresh({ request }: Case): Fields {
  const source = request['source'] as CatalogSource;
  if (request['ageSeconds'] !== undefined) {
    const interval = request['refreshIntervalSeconds'];
    const due = isDue(source, Number(request['ageSeconds']), typeof interval === 'number' ? interval : undefined);
    return { action: due ? 'Fetch' : 'Keep' };
  }
  const why = refusal({
    rows: Number(request['newRows']),
    invalidRows: Number(request['invalidRows'] ?? 0),
    previousRows: Number(request['previousRows'] ?? 0),
    pinMatches: request['pinMatches'] !== false,
  });
  return why === undefined ? { action: 'Swap' } : { action: 'Refuse', reason: REFUSED };
}
