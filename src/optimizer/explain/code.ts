/** The one word for why an alternative has no candidate: the first that holds. */
import { acceleratorsOf as acceleratorsText } from '../../catalog/machine-type.ts';
import { isProviderWord } from '../providers.ts';
import { acceleratorsOf } from '../request/accelerators.ts';
import { acceleratorCounts, hasAccelerator, hasInstanceType, hasRegion, hasZone } from '../search/known.ts';
import type { Leg } from '../search/leg.ts';
import type { Scope } from '../search/legs.ts';
import { isInPlace } from '../search/place.ts';
import { rowNumbers } from '../search/shelf.ts';
import { isSameCount, type Mismatch, mismatchOf } from '../search/want.ts';
import type { InfeasibleCode, RankInput } from '../types.ts';
import { commonestReason, rejectedCounts } from './counts.ts';

export function codeOf(scope: Scope): InfeasibleCode {
  return cloudCode(scope) ?? nameCode(scope) ?? placeCode(scope) ?? countCode(scope) ?? sizeCode(scope) ?? 'Filtered';
}

/** The code with the fact that it is about. */
export function reasonText(scope: Scope, input: RankInput): string {
  const code = codeOf(scope);
  const commonest = code === 'Filtered' ? commonestReason(rejectedCounts([scope], input)) : undefined;
  const machine = code === 'InstanceTypeMismatch' ? machineFacts(scope) : undefined;
  return [code, commonest ?? machine].filter((part) => part !== undefined).join(': ');
}

function machineFacts({ legs }: Scope): string | undefined {
  const type = legs.find(({ types }) => types.length > 0)?.types[0];
  if (!type) return undefined;
  return `${type.name} has ${type.vCPUs} vCPUs, ${type.memoryGiB} GiB and ${acceleratorsText(type) ?? 'no accelerators'}`;
}

function cloudCode({ alternative, clouds, usable }: Scope): InfeasibleCode | undefined {
  const { cloud } = alternative.place;
  if (cloud !== undefined && clouds.length === 0 && !isProviderWord(cloud)) return 'UnknownCloud';
  return usable.length === 0 ? 'NoCloudReady' : undefined;
}

function nameCode({ alternative, usable, accelerators }: Scope): InfeasibleCode | undefined {
  const { instanceType } = alternative.request;
  if (instanceType !== undefined && !usable.some((cloud) => hasInstanceType(cloud, instanceType)))
    return 'UnknownInstanceType';
  const asked = alternative.request.accelerators;
  const isKnown = accelerators.some((wanted) => usable.some((cloud) => hasAccelerator(cloud, wanted?.name ?? '')));
  return asked !== undefined && acceleratorsOf(asked).kind === 'name' && !isKnown ? 'UnknownAccelerator' : undefined;
}

function placeCode({ alternative, usable }: Scope): InfeasibleCode | undefined {
  const { region, zone } = alternative.place;
  if (region !== undefined && !usable.some((cloud) => hasRegion(cloud, region))) return 'UnknownRegion';
  return zone !== undefined && !usable.some((cloud) => hasZone(cloud, zone, region)) ? 'UnknownZone' : undefined;
}

function countCode({ alternative, usable, accelerators }: Scope): InfeasibleCode | undefined {
  if (alternative.request.accelerators === undefined) return undefined;
  const hasCount = accelerators.some((wanted) =>
    usable.some(
      (cloud) =>
        (cloud.places !== undefined && hasAccelerator(cloud, wanted?.name ?? '')) ||
        acceleratorCounts(cloud, wanted?.name ?? '').some((count) => isSameCount(count, wanted?.count ?? 0)),
    ),
  );
  return hasCount ? undefined : 'NoSuchCount';
}

function sizeCode({ alternative, legs }: Scope): InfeasibleCode | undefined {
  const { instanceType, accelerators } = alternative.request;
  if (instanceType === undefined && accelerators === undefined)
    return legs.every(({ types }) => types.length === 0) ? 'NoCpuMemory' : undefined;
  const mismatches = legs.flatMap(mismatchesInPlace);
  if (mismatches.length === 0 || mismatches.includes(undefined)) return undefined;
  return instanceType === undefined ? 'NoCpuMemory' : 'InstanceTypeMismatch';
}

/** What is wrong with each machine type that is offered in the asked place, undefined where it is as asked. */
function mismatchesInPlace(leg: Leg): (Mismatch | undefined)[] {
  return leg.types
    .filter(({ from, to }) => rowNumbers(from, to).some((row) => isInPlace(leg.snapshot, leg.place, row)))
    .map((type) => mismatchOf(leg.want, type));
}
