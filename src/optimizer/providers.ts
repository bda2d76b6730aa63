/** Words that name a kind of cloud; all SkyClouds of that provider are meant. */
const PROVIDER_WORDS: ReadonlySet<string> = new Set([
  'aws',
  'azure',
  'digitalocean',
  'fluffycloud',
  'gcp',
  'hetzner',
  'kubernetes',
  'lambda',
  'runpod',
  'ssh',
]);

export function isProviderWord(word: string): boolean {
  return PROVIDER_WORDS.has(word);
}
