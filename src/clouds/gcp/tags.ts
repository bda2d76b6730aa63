import { isObject } from '../kit/answer.ts';

type Tags = Readonly<Record<string, string>>;

/** Metadata item with the tags that are no labels, as JSON. */
export const TAGS_ITEM = 'sky-tags';

const LABEL_KEY = /^[a-z][a-z0-9_-]{0,62}$/;
const LABEL_VALUE = /^[a-z0-9_-]{0,63}$/;
/** Google takes 64; a few are left for people. */
const MAX_LABELS = 56;

export interface Encoded {
  readonly labels: Tags;
  /** Absent where every tag is a label. */
  readonly item?: string;
}

/** Labels can be searched by, so all that can be one is one. Nothing is changed or cut: a signature must stay what it is. */
export function encodeTags(tags: Tags): Encoded {
  const all = Object.entries(tags);
  const fitting = all.filter(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(value)).slice(0, MAX_LABELS);
  const labels = Object.fromEntries(fitting);
  const rest = all.filter(([key]) => !Object.hasOwn(labels, key));
  return { labels, ...(rest.length > 0 ? { item: JSON.stringify(Object.fromEntries(rest)) } : {}) };
}

/** What `encodeTags` was given, and whatever labels others have added. A damaged item is nothing. */
export function decodeTags(labels: unknown, item: string | undefined): Record<string, string> {
  return { ...strings(labels), ...strings(parsed(item)) };
}

function strings(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries);
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
