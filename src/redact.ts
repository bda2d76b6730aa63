/** Replaces every secret value that this process has read, in whatever leaves it: status, events, logs. */
export interface Redactor {
  /** Values shorter than 6 bytes would match ordinary words and are not hidden. */
  learn(value: string): void;
  clean(text: string): string;
}

const SHORTEST = 6;
const LONG = 40;
const HIDDEN = '[redacted]';
/** The newest values; a value that was not read for as many others is no longer in use. */
const MOST = 10_000;

/** A key file is never quoted as a whole; lines of a PEM and long texts in JSON are secrets of their own. */
function partsOf(text: string): string[] {
  return text.split(/\s+|\\n|"/).filter((part) => part.length >= LONG && part !== text);
}

export function redactor(): Redactor {
  const values = new Set<string>();
  return {
    learn: (value) => {
      const text = value.trim();
      if (text.length < SHORTEST) return;
      for (const part of partsOf(text)) values.add(part);
      for (const form of [
        text,
        Buffer.from(text).toString('base64'),
        encodeURIComponent(text),
        JSON.stringify(text).slice(1, -1),
      ]) {
        values.delete(form);
        values.add(form);
      }
      for (const oldest of values) {
        if (values.size <= MOST) break;
        values.delete(oldest);
      }
    },
    clean: (text) => {
      let clean = text;
      for (const value of values) if (clean.includes(value)) clean = clean.replaceAll(value, HIDDEN);
      return clean;
    },
  };
}
