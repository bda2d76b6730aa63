/** The legs of a request: each alternative on each cloud that its place leaves. */
import type { Alternative, Alternatives } from '../request/alternatives.ts';
import type { Infra } from '../request/infra.ts';
import type { CloudView, Market, RankInput } from '../types.ts';
import { localSnapshot } from '../local/snapshot.ts';
import { isProviderWord } from '../providers.ts';
import { resolveAccelerators } from './accelerators.ts';
import { type ActiveExclusion, activeAt, barsOf } from './exclusions.ts';
import { isRegionLevel, missingFeature } from './features.ts';
import { isOffered, type Leg, pricesOf, rowAt, SECONDS_PER_HOUR } from './leg.ts';
import { isInPlace, isRegionAllowed, placeOf } from './place.ts';
import { type AcceleratorWant, ANYTHING, cpuTypes, namedTypes, type Want, wantOf } from './want.ts';

/** An alternative with the clouds it is about. */
export interface Scope {
  readonly alternative: Alternative;
  /** Clouds that the place leaves, usable or not. */
  readonly clouds: readonly CloudView[];
  /** Where something may be launched. */
  readonly usable: readonly CloudView[];
  /** What `accelerators` means; [undefined] where none is asked. */
  readonly accelerators: readonly (AcceleratorWant | undefined)[];
  readonly legs: readonly Leg[];
}

/** Throws InputError when an accelerator name is ambiguous. */
export function scopesOf({ mode, alternatives }: Alternatives, input: RankInput): Scope[] {
  const clouds = input.clouds.toSorted(byPreference);
  const active = activeAt(input.exclusions, input.now);
  return alternatives.map((alternative, position) => {
    const inScope = clouds.filter((cloud) => isInScope(cloud, alternative.place));
    const usable = inScope.filter((cloud) => cloud.unusable === undefined);
    const accelerators = resolveAccelerators(alternative, usable, clouds);
    const wants = accelerators.map((accelerator) => wantOf(alternative.request, accelerator));
    const legs = usable.flatMap((cloud) =>
      wants.flatMap((want, index) =>
        legOf(alternative, want, {
          input,
          cloud,
          active,
          order: {
            ordered: mode === 'ordered' ? position : 0,
            alternative: mode === 'ordered' ? 0 : position,
            accelerator: index,
            cloud: clouds.indexOf(cloud),
          },
        }),
      ),
    );
    return { alternative, clouds: inScope, usable, accelerators, legs };
  });
}

/** A provider word means every SkyCloud of that provider; any other word is the name of one. */
function isInScope({ name, provider }: CloudView, { cloud }: Infra): boolean {
  return cloud === undefined || cloud === (isProviderWord(cloud) ? provider : name);
}

interface Around {
  readonly input: RankInput;
  readonly cloud: CloudView;
  readonly active: readonly ActiveExclusion[];
  readonly order: Omit<Leg['order'], 'seconds' | 'market'>;
}

function legOf(alternative: Alternative, want: Want, { input, cloud, active, order }: Around): Leg[] {
  const { request } = alternative;
  const isLocal = cloud.places !== undefined;
  const snapshot = isLocal ? localSnapshot(cloud, request, want.accelerator, input.numNodes) : cloud.catalog;
  if (!snapshot) return [];
  const market: Market = request.useSpot === true ? 'spot' : 'on-demand';
  const place = placeOf(alternative.place, cloud, snapshot);
  const types = isLocal ? snapshot.types : typesOf({ want, snapshot, market, place });
  // Nothing can be said of a cloud without such machines, and most requests name one that few clouds have.
  if (types.length === 0) return [];
  const regionLevel = alternative.place.zone === undefined && isRegionLevel(cloud.provider, market);
  const leg = {
    input,
    cloud,
    snapshot,
    market,
    // A local machine is made to measure.
    want: isLocal && request.instanceType === undefined ? ANYTHING : want,
    types,
    place,
    regionLevel,
    unsupported: missingFeature(request, { input, cloud, regionLevel }),
    bars: barsOf(active, { cloud: cloud.name, market, snapshot }),
    order: {
      ...order,
      seconds: secondsOf(input, cloud),
      market: Number(market === 'spot'),
    },
  };
  return [leg];
}

/** Until the work is done, where time is the objective. */
function secondsOf({ optimize, runtimeSeconds = SECONDS_PER_HOUR }: RankInput, { startupSeconds }: CloudView): number {
  return optimize === 'Time' ? startupSeconds + runtimeSeconds : 0;
}

type Offers = Pick<Leg, 'want' | 'snapshot' | 'market' | 'place'>;

function typesOf(offers: Offers): Leg['types'] {
  const { want, snapshot } = offers;
  if (want.instanceType !== undefined || want.accelerator) return namedTypes(want, snapshot);
  const preferred = cpuTypes(want, snapshot.tier1);
  // Neither exclusions nor price caps open the second tier: they pass, and a request would change its kind of machine.
  return preferred.some((type) => isOfferedInPlace(offers, type)) ? preferred : cpuTypes(want, snapshot.tier2);
}

function isOfferedInPlace(leg: Offers, { from, to }: Leg['types'][number]): boolean {
  const { snapshot, place } = leg;
  const prices = pricesOf(leg);
  for (let position = from; position < to; position++) {
    const row = rowAt(leg, position);
    if (Number.isNaN(prices[row])) return false;
    if (isInPlace(snapshot, place, row) && isRegionAllowed(snapshot, place, row) && isOffered(leg, row)) return true;
  }
  return false;
}

function byPreference(a: CloudView, b: CloudView): number {
  return b.priority - a.priority || (a.name < b.name ? -1 : Number(a.name > b.name));
}
