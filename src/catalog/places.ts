/** Regions and zones by number. Names are sorted by code point, so numbers compare as names do. */
import { byCodePoint } from './names.ts';

export interface Place {
  readonly region: string;
  /** '' where it is not known. */
  readonly zone: string;
}

export class PlaceIds {
  readonly #ids = new Map<string, number>();
  readonly #places: Place[] = [];

  id(place: Place): number {
    const key = `${place.region}\n${place.zone}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.#places.length);
    return this.#places.push(place) - 1;
  }

  places(): Places {
    const regions = sorted(this.#places.map(({ region }) => region));
    const zones = sorted(['', ...this.#places.map(({ zone }) => zone)]);
    const regionIds = idsOf(regions);
    const zoneIds = idsOf(zones);
    return {
      regions,
      zones,
      region: Uint16Array.from(this.#places, ({ region }) => regionIds.get(region) ?? 0),
      zone: Uint16Array.from(this.#places, ({ zone }) => zoneIds.get(zone) ?? 0),
    };
  }
}

export interface Places {
  readonly regions: readonly string[];
  /** The first is '', no zone. */
  readonly zones: readonly string[];
  /** Region and zone number of each place. */
  readonly region: Uint16Array;
  readonly zone: Uint16Array;
}

/** Smaller for what comes first in (region, zone) order. */
export function placeRank({ region, zone }: Places, place: number): number {
  return (region[place] ?? 0) * 0x1_00_00 + (zone[place] ?? 0);
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort(byCodePoint);
}

function idsOf(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, id) => [name, id]));
}
