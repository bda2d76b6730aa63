import { isObject } from '../../../cloudsim/shape.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { Operation } from '../../../cloudsim/edges.ts';

const PREFIX = 'ya29.sim.';

/** Trades a signed assertion for an access token. Who signed it is believed: the fake knows no public keys. */
export function token(call: Call): Operation {
  return plainly(subjectOf(call, {}), () => {
    const key = keyIn(new URLSearchParams(call.request.text).get('assertion') ?? '');
    try {
      call.cloud.credentials.open(key, true);
    } catch {
      throw new ApiError('Unauthorized', 'Invalid JWT Signature.', { native: 'invalid_grant' });
    }
    return { access_token: `${PREFIX}${key}`, expires_in: 3_599, token_type: 'Bearer' };
  });
}

/** The simulator's API key that a token stands for. */
export function keyOfToken(bearer: string): string {
  return bearer.startsWith(PREFIX) ? bearer.slice(PREFIX.length) : '';
}

/** Service accounts of the fake are called after the key: `<key>@<project>.iam.gserviceaccount.com`. */
function keyIn(assertion: string): string {
  const [, payload = ''] = assertion.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isObject(claims) && typeof claims.iss === 'string' ? (claims.iss.split('@')[0] ?? '') : '';
  } catch {
    return '';
  }
}
