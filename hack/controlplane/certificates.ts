/** Certificates of a control plane that lives as long as its tests. */
import { type Authority, certificateAuthority as authority } from '../../src/server/certificate.ts';

export type { Authority, KeyPair } from '../../src/server/certificate.ts';

const DAY_MS = 86_400_000;

export function certificateAuthority(name: string): Authority {
  return authority(name, { from: Date.now() - DAY_MS, until: Date.now() + 30 * DAY_MS });
}
