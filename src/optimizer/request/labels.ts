/** Which labels a cloud takes on its machines. */

interface Grammar {
  readonly key: (text: string) => boolean;
  readonly value: (text: string) => boolean;
}

const MAX_NAME = 63;
const MAX_PREFIX = 253;
const MAX_AWS_VALUE = 255;

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  aws: {
    key: (text) => /^\S{1,127}$/.test(text) && !text.startsWith('aws:'),
    value: (text) => text.length <= MAX_AWS_VALUE && !/\s/.test(text),
  },
  gcp: {
    key: (text) => /^[a-z][a-z0-9_-]{0,62}$/.test(text),
    value: (text) => /^[a-z0-9_-]{0,63}$/.test(text),
  },
  kubernetes: { key: isKubernetesKey, value: (text) => text === '' || isKubernetesName(text) },
};

/** Undefined where the provider states no grammar: labels are not applied there. */
export function isValidLabel(provider: string, key: string, value: string): boolean | undefined {
  const grammar = GRAMMARS[provider];
  return grammar && grammar.key(key) && grammar.value(value);
}

function isKubernetesKey(text: string): boolean {
  const slash = text.lastIndexOf('/');
  return isKubernetesName(text.slice(slash + 1)) && (slash < 0 || isDnsName(text.slice(0, slash)));
}

function isKubernetesName(text: string): boolean {
  return text.length <= MAX_NAME && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) && /[A-Za-z0-9]$/.test(text);
}

function isDnsName(text: string): boolean {
  const isLabel = (label: string): boolean => /^[a-z0-9][a-z0-9-]*$/.test(label) && !label.endsWith('-');
  return text.length <= MAX_PREFIX && text.split('.').every(isLabel);
}
