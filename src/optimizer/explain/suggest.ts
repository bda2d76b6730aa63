/** What to write instead of a name or count that no cloud of the request has. Nothing is corrected silently. */
import { regionNames, zoneNames } from '../search/known.ts';
import type { Scope } from '../search/legs.ts';
import { isInPlace, isRegionAllowed, placeOf } from '../search/place.ts';
import type { CloudView, InfeasibleCode, RankInput } from '../types.ts';
import { byCodePoint } from '../../catalog/names.ts';
import { rowNumbers } from '../search/shelf.ts';
import { nearNames } from './distance.ts';

const MAX_ACCELERATORS = 10;
const MAX_REGIONS = 20;

export function suggestionsFor(scope: Scope, code: InfeasibleCode, input: RankInput): string[] {
  const { alternative, usable } = scope;
  const { cloud = '', region = '', zone = '' } = alternative.place;
  switch (code) {
    case 'UnknownCloud':
      return nearNames(
        cloud,
        input.clouds.flatMap(({ name, provider }) => [name, provider]),
      );
    case 'UnknownInstanceType':
      return nearNames(alternative.request.instanceType ?? '', usable.flatMap(instanceTypeNames));
    case 'UnknownRegion':
      return nearOrAll(region, [...new Set(usable.flatMap(regionNames))].sort());
    case 'UnknownZone':
      return nearNames(zone, usable.flatMap(zoneNames));
    case 'UnknownAccelerator':
    case 'NoSuchCount':
      return similarAccelerators(scope);
    case 'NoCloudReady':
    case 'InstanceTypeMismatch':
    case 'NoCpuMemory':
    case 'Filtered':
      return [];
    default:
      return code satisfies never;
  }
}

function instanceTypeNames({ catalog }: CloudView): string[] {
  return [...(catalog?.typesByName.keys() ?? [])];
}

function nearOrAll(text: string, names: readonly string[]): string[] {
  const near = nearNames(text, names);
  return near.length > 0 ? near : names.slice(0, MAX_REGIONS);
}

/** Names that contain the asked text, with at least the asked count, in the asked place: `NAME:COUNT`. */
function similarAccelerators({ alternative, usable, accelerators }: Scope): string[] {
  const found = new Map<string, { readonly name: string; readonly count: number }>();
  for (const wanted of accelerators) {
    for (const { name, count } of wanted ? usable.flatMap((cloud) => offeredIn(cloud, alternative)) : []) {
      if (wanted && name.toLowerCase().includes(wanted.name.toLowerCase()) && count >= wanted.count)
        found.set(`${name}:${Math.round(count * 100) / 100}`, { name, count });
    }
  }
  return [...found]
    .sort(([, a], [, b]) => byCodePoint(a.name, b.name) || a.count - b.count)
    .slice(0, MAX_ACCELERATORS)
    .map(([text]) => text);
}

function offeredIn(cloud: CloudView, { place: infra }: Scope['alternative']): { name: string; count: number }[] {
  const { catalog: snapshot } = cloud;
  if (!snapshot) return [];
  const place = placeOf(infra, cloud, snapshot);
  return snapshot.types.flatMap(({ acceleratorName: name, acceleratorCount: count, from, to }) => {
    const isHere = (row: number): boolean => isInPlace(snapshot, place, row) && isRegionAllowed(snapshot, place, row);
    return name !== undefined && rowNumbers(from, to).some(isHere) ? [{ name, count }] : [];
  });
}
