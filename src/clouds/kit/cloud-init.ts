import type { HostKey } from '../contract.ts';

export interface Bootstrap {
  readonly user: string;
  readonly authorizedKeys: readonly string[];
  readonly hostKey?: HostKey;
  /** The machine switches itself off after this time, even if everybody has forgotten it. */
  readonly maxLifetimeSeconds?: number;
}

/** User data for cloud-init: the same input gives the same bytes. JSON is YAML, so nothing needs to be quoted twice. */
export function cloudInit(bootstrap: Bootstrap): string {
  const { user, authorizedKeys, hostKey, maxLifetimeSeconds } = bootstrap;
  const config = {
    users: [
      'default',
      { name: user, shell: '/bin/bash', sudo: 'ALL=(ALL) NOPASSWD:ALL', ssh_authorized_keys: authorizedKeys },
    ],
    ...(hostKey
      ? {
          ssh_deletekeys: true,
          ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
        }
      : {}),
    ...(maxLifetimeSeconds === undefined
      ? {}
      : { power_state: { mode: 'poweroff', delay: `+${Math.ceil(maxLifetimeSeconds / 60)}` } }),
  };
  return `#cloud-config\n${JSON.stringify(config)}\n`;
}
