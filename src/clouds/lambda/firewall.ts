/** Rulesets: regional, attached at launch, one per cluster and set of ports. Not verified live. */
import { createHash } from 'node:crypto';
import type { Owner, PortRange } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { NativeError } from '../kit/rest.ts';
import type { LambdaClient, WireRuleset } from './client.ts';
import { errors } from './errors.ts';

const ANYWHERE = '0.0.0.0/0';
const SSH: PortRange = { from: 22, to: 22 };

interface Wanted {
  readonly owner: Owner;
  readonly region: string;
  readonly ports: readonly PortRange[];
}

/** Id of the ruleset. Its name says all that is in it, so one that exists is never changed. */
export async function ensureRuleset(client: LambdaClient, { owner, region, ports }: Wanted): Promise<string> {
  const name = `${rulesetPrefix(owner)}${digest(JSON.stringify(ports), 8)}`;
  const find = async (): Promise<WireRuleset | undefined> =>
    (await client.rulesets()).find((each) => each.name === name && each.region === region);
  const found = await find();
  if (found) return found.id;
  try {
    return (await client.addRuleset({ name, region, rules: [SSH, ...ports].map(ruleOf) })).id;
  } catch (error) {
    const other = error instanceof NativeError && error.code === 'global/duplicate' ? await find() : undefined;
    if (!other) throw error;
    return other.id;
  }
}

/** Deletes the rulesets of the cluster. Resolves with those that a machine still uses. */
export async function deleteRulesets(client: LambdaClient, owner: Owner, region?: string): Promise<string[]> {
  const prefix = rulesetPrefix(owner);
  const ours = (await client.rulesets()).filter(
    (each) => each.name.startsWith(prefix) && (region === undefined || each.region === region),
  );
  const remaining: string[] = [];
  for (const { id } of ours) if (!(await isDeleted(client, id))) remaining.push(`firewall-ruleset/${id}`);
  return remaining;
}

async function isDeleted(client: LambdaClient, id: string): Promise<boolean> {
  try {
    await client.deleteRuleset(id);
    return true;
  } catch (error) {
    const failed = classify(errors, error, { op: 'delete_ruleset', creates: false });
    if (failed.fault.class === 'conflict') return false;
    if (failed.fault.class === 'not-found') return true;
    throw failed;
  }
}

export function rulesetPrefix({ installation, uid }: Owner): string {
  return `sky-${installation}-${digest(uid, 12)}-`;
}

function ruleOf({ from, to }: PortRange) {
  return { protocol: 'tcp', port_range: [from, to], source_network: ANYWHERE, description: 'sky-operator' };
}

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
