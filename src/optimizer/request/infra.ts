/** Places as users write them: CLOUD[/REGION[/ZONE]], `*` = open; `k8s/CONTEXT` and `ssh/POOL`, whose rest is one name. */
import { InputError, shown } from './input-error.ts';

/** An absent segment is open. */
export interface Infra {
  /** Provider word or name of a SkyCloud, lower-case. */
  readonly cloud?: string;
  readonly region?: string;
  readonly zone?: string;
}

const MAX_INFRA = 253;
const MAX_SEGMENTS = 3;
const ALIASES: Readonly<Record<string, string>> = { k8s: 'kubernetes', do: 'digitalocean' };

/** Clouds whose places are one name that may hold slashes. */
const LOCAL_CLOUDS: ReadonlySet<string> = new Set(['kubernetes', 'ssh']);

/** Throws InputError. */
export function parseInfra(text: string, field: string): Infra {
  const bad = (): InputError =>
    new InputError(field, 'Format', `${shown(text)} is not CLOUD[/REGION[/ZONE]]; use * for an open segment`);
  if (text.length > MAX_INFRA) throw bad();
  const segments = withoutOuterSlashes(text.trim())
    .split('/')
    .map((segment) => segment.trim());
  const [first = '', ...rest] = segments;
  const local = LOCAL_CLOUDS.has(cloudWord(first));
  if (first === '' || rest.includes('') || hasControl(text)) throw bad();
  if (local) return infraOf(first, rest.join('/'), '');
  if (segments.length > MAX_SEGMENTS) throw bad();
  return infraOf(first, rest[0], rest[1]);
}

/** The three fields `cloud`, `region`, `zone`, or the segments of `infra`; `*` and '' are open. */
export function infraOf(cloud: string | undefined, region: string | undefined, zone: string | undefined): Infra {
  const word = cloudWord(cloud ?? '');
  return {
    ...(isOpen(word) ? {} : { cloud: word }),
    ...(isOpen(region) ? {} : { region: region.trim() }),
    ...(isOpen(zone) ? {} : { zone: zone.trim() }),
  };
}

/** Canonical text; undefined where all is open. */
export function infraText({ cloud, region, zone }: Infra): string | undefined {
  const segments = [cloud, region, zone];
  const last = segments.findLastIndex((segment) => segment !== undefined);
  return last < 0
    ? undefined
    : segments
        .slice(0, last + 1)
        .map((segment) => segment ?? '*')
        .join('/');
}

const DISPLAY_WIDTH = 25;
const DISPLAY_ENDS = 11;

/** `aws (us-east-1a)`: the cloud and the most precise place, long ones cut in the middle. */
export function infraDisplay({ cloud, region, zone }: Infra): string {
  if (cloud === undefined) return '-';
  const place = zone ?? region;
  if (place === undefined) return cloud;
  const cut = `${place.slice(0, DISPLAY_ENDS)}...${place.slice(-DISPLAY_ENDS)}`;
  return `${cloud} (${place.length > DISPLAY_WIDTH ? cut : place})`;
}

function cloudWord(text: string): string {
  const word = text.trim().toLowerCase();
  return ALIASES[word] ?? word;
}

function isOpen(segment: string | undefined): segment is undefined {
  return segment === undefined || segment.trim() === '' || segment.trim() === '*';
}

function withoutOuterSlashes(text: string): string {
  return text.slice(Number(text.startsWith('/')), text.length > 1 && text.endsWith('/') ? -1 : undefined);
}

function hasControl(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001F\u007F]/.test(text);
}
