import { NativeError } from '../kit/rest.ts';
import type { LambdaClient } from './client.ts';

/**
 * Lambda wants one registered key per launch and puts it into every machine. The key of a cluster must not be that one: it would
 * open the machines of all others. So this is a key that opens nothing, because nobody can know its private half: its 32 bytes are
 * the SHA-256 of a sentence (the test says which). The keys that count travel in the user data.
 */
export const NOBODYS_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICvu0TIvXJM2F6loRarblJPwCI6akZgXAjnHtrvQqlXD';

/** Codes that Lambda has for a name that is taken. */
const TAKEN = new Set(['global/duplicate', 'global/invalid-parameters']);

/** Name of the key in the account; registers it where it is missing. */
export async function ensureKey(client: LambdaClient, installation: string): Promise<string> {
  const found = await findKey(client);
  if (found !== undefined) return found;
  const name = `sky-operator-${installation}`;
  try {
    await client.addKey({ name, publicKey: NOBODYS_KEY });
    return name;
  } catch (error) {
    // Somebody else was faster: then it must be there now.
    const other = isTaken(error) ? await findKey(client) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

/** Equal in type and bytes; comments and white space do not count. */
export function sameKey(a: string, b: string): boolean {
  const bare = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(' ');
  return bare(a) === bare(b);
}

async function findKey(client: LambdaClient): Promise<string | undefined> {
  return (await client.keys()).find(({ publicKey }) => sameKey(publicKey, NOBODYS_KEY))?.name;
}

function isTaken(error: unknown): boolean {
  return error instanceof NativeError && TAKEN.has(error.code ?? '');
}
