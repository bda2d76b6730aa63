import { gzipSync } from 'node:zlib';
import type { LaunchRequest } from '../contract.ts';
import { cloudInit } from '../kit/cloud-init.ts';
import { refusal } from './fault.ts';
import { MAX_USER_DATA_BYTES } from './manifest.ts';
import { LOGIN_USER } from './nodes.ts';

/**
 * User data as EC2 takes it: base64, of gzip where the text alone is above 16 KiB; cloud-init reads both. The same request gives
 * the same bytes. Throws ProviderError `invalid` that says what is too large.
 */
export function userDataOf(request: LaunchRequest): string {
  const bytes = Buffer.from(textOf(request));
  if (bytes.length <= MAX_USER_DATA_BYTES) return bytes.toString('base64');
  const packed = gzipSync(bytes, { level: 9 });
  if (packed.length <= MAX_USER_DATA_BYTES) return packed.toString('base64');
  const { userData, authorizedKeys } = request.bootstrap;
  const what = userData === undefined ? `${authorizedKeys.length} authorized SSH keys make` : 'its own text makes';
  throw refusal({
    class: 'invalid',
    stopRequest: true,
    hint: `User data may have ${MAX_USER_DATA_BYTES} bytes, and ${what} it ${packed.length} bytes after compression.`,
  });
}

function textOf({ bootstrap, maxLifetimeSeconds }: LaunchRequest): string {
  const { userData, authorizedKeys, hostKey } = bootstrap;
  return (
    userData ??
    cloudInit({
      user: LOGIN_USER,
      authorizedKeys,
      ...(hostKey ? { hostKey } : {}),
      ...(maxLifetimeSeconds === undefined ? {} : { maxLifetimeSeconds }),
    })
  );
}
