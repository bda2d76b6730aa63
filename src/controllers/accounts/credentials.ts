import { createHash } from 'node:crypto';
import type { CredentialView } from '../../clouds/contract.ts';
import type { Secret } from '../../kube/resources.ts';

/** The data of a Secret, decoded, with surrounding white space of text trimmed: keys are pasted with a newline more often than not. */
export function credentialView(secret: Secret | undefined): CredentialView {
  const data = Object.entries(secret?.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256');
  for (const [key, value] of data) hash.update(`${key}=${value}\n`);
  const files = new Map(data.map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return {
    fingerprint: hash.digest('hex').slice(0, 12),
    get: (key) => files.get(key)?.toString('utf8').trim(),
    getFile: (key) => files.get(key),
  };
}

/** Keys that the provider needs and the Secret lacks. */
export function missingKeys(view: CredentialView, required: readonly string[]): string[] {
  return required.filter((key) => !view.get(key));
}
