import { ProviderError } from '../contract.ts';
import type { FluffyClient } from './client.ts';

/**
 * Starts a machine at a cloud that may have given its accelerators to somebody else while it was stopped. A machine that comes back
 * without them costs money and is of no use: whoever asked must hear that before he waits for it.
 */
export async function startVerified(client: FluffyClient, id: string): Promise<void> {
  await client.onInstance('start', id);
  const { fields } = await client.get(id);
  const type = (await client.catalog()).find((row) => row.InstanceType === fields.instance_type);
  const promised = Number(type?.AcceleratorCount ?? 0);
  const has = typeof fields.gpus === 'number' ? fields.gpus : 0;
  if (has >= promised) return;
  throw new ProviderError({
    class: 'conflict',
    outcome: 'not-started',
    native: { message: `${id} was started with ${has} of ${promised} accelerators` },
    hint: 'Its accelerators were given to somebody else; end the machine and rent another.',
  });
}
