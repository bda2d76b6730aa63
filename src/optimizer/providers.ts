import { PROVIDERS } from '../api/providers.gen.ts';

/** Clouds that SkyPilot knows by these words and that nobody has built here yet: they name no SkyCloud. */
const RESERVED = ['azure', 'digitalocean', 'hetzner', 'kubernetes', 'runpod', 'ssh'];

/** Words that name a kind of cloud; all SkyClouds of that provider are meant. */
const PROVIDER_WORDS: ReadonlySet<string> = new Set([...PROVIDERS, ...RESERVED]);

export function isProviderWord(word: string): boolean {
  return PROVIDER_WORDS.has(word);
}
