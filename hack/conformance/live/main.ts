/** `npm run conformance:provider -- NAME --live`: see HELP in flags.ts. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { createInterface } from 'node:readline';
import { systemClock, systemRandom } from '../../../src/clock.ts';
import { collect, World } from '../../../src/clouds/conformance/world.ts';
import type { Launching } from '../../../src/clouds/conformance/world.ts';
import { ProviderError } from '../../../src/clouds/contract.ts';
import type { CallContext, NodeProvider, RateBudget } from '../../../src/clouds/contract.ts';
import { providers } from '../../../src/clouds/registry.ts';
import { rateBudget } from '../../../src/controllers/accounts/budget.ts';
import { silentLogger } from '../../../src/log.ts';
import { base32 } from '../../../src/provision/keys.ts';
import { Account } from './account.ts';
import { pricedOffering, worstCost } from './cost.ts';
import type { Priced, Worst } from './cost.ts';
import { HELP, readFlags, Refused, WrongFlag } from './flags.ts';
import type { LiveFlags } from './flags.ts';
import { Guard } from './guard.ts';
import { lack, realCloud } from './real-cloud.ts';
import { run } from './run.ts';

const CALL_TIMEOUT_MS = 60_000;
const SIMULATOR = '127.0.0.1';
const EXIT_NOT_STARTED = 2;

/** The exit code. */
export async function live(args: readonly string[]): Promise<number> {
  try {
    return await started(readFlags(args));
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof ProviderError)) throw error;
    const hint = error instanceof ProviderError && error.fault.hint ? `; ${error.fault.hint}` : '';
    process.stderr.write(
      `nothing was started: ${error.message}${hint}\n${error instanceof WrongFlag ? `\n${HELP}` : ''}`,
    );
    return EXIT_NOT_STARTED;
  }
}

/** Everything that can be wrong is found before the first machine. Throws Refused or ProviderError. */
async function started(flags: LiveFlags): Promise<number> {
  const provider = await providerOf(flags);
  const budget = rateBudget(provider.manifest.limits, systemClock);
  const context = (): CallContext => contextOf(flags, budget);
  const accountId = await checked(provider, context(), flags);
  const priced = await pricedOffering(provider, context(), flags);
  const capabilities = provider.capabilities({ config: flags.config }, priced.offering);
  const tried = flags.chosen
    .filter((rule) => rule.applies?.(capabilities) ?? true)
    .filter((rule) => (rule.needs ?? []).every((need) => lack(need, capabilities) === undefined));
  const worst = worstCost(tried, priced, flags.lifetimeSeconds);
  tellPlan(flags, { accountId, priced, worst, endsItself: capabilities.deadManSwitch });
  if (worst.usd > flags.maxUsd) throw new Refused(`it may cost $${usd(worst.usd)}, above --max-usd=${flags.maxUsd}`);
  const launching = launchingOf(flags);
  const foreign = await idsIn(provider, context(), { installation: launching.installation, region: flags.region });
  if (!flags.yes) await confirmed(accountId);

  const stop = new AbortController();
  const guard = new Guard(provider, systemClock);
  const { installation } = launching;
  const { region, pollSeconds, giveUpSeconds, config, secret, endpoint } = flags;
  const about = { region, pollSeconds, giveUpSeconds, installation, foreign, capabilities };
  const account = new Account({ ...about, provider, guard, clock: systemClock, context });
  const { offering } = priced;
  const { signal } = stop;
  const cloud = realCloud({ account, accountId, offering, config, secret, endpoint, budget, signal });
  const world = new World(guard.provider, cloud, systemClock, launching);
  return run({ world, account, guard, chosen: flags.chosen, stop, say });
}

async function providerOf({ cloud, endpoint, secret }: LiveFlags): Promise<NodeProvider> {
  const known = providers(endpoint === undefined ? [] : [SIMULATOR]);
  const load = known.get(cloud);
  if (!load) throw new Refused(`there is no cloud ${cloud}; there are ${[...known.keys()].join(', ')}`);
  const provider = await load();
  const { required, optional, ambient } = provider.manifest.secretKeys;
  const missing = required.filter((key) => !secret[key]);
  const usesAmbient = ambient === true && Object.keys(secret).length === 0;
  if (missing.length > 0 && !usesAmbient) throw new Refused(`--secret-dir has no ${missing.join(', ')}`);
  const unknown = Object.keys(secret).filter((key) => ![...required, ...optional].includes(key));
  if (unknown.length > 0) say(`not used of the secret: ${unknown.join(', ')}`);
  return provider;
}

/** Id of the account that the credential opens. */
async function checked(provider: NodeProvider, cx: CallContext, { region }: LiveFlags): Promise<string> {
  const report = await provider.check(cx, { regions: [region] });
  for (const { status, probe, message, hint } of report.items)
    if (status !== 'ok') say(`check   ${probe}: ${status}: ${message}${hint ? ` ${hint}` : ''}`);
  if (!report.ok || !report.account) throw new Refused('the check of the credential fails');
  return report.account.id;
}

/** Machines that are there already. Without a complete list nobody could tell afterwards what is left. */
async function idsIn(
  provider: NodeProvider,
  cx: CallContext,
  where: { readonly installation: string; readonly region: string },
): Promise<ReadonlySet<string>> {
  const pages = await collect(provider.list(cx, where));
  if (pages.length === 0 || !pages.every((page) => page.complete)) throw new Refused('no complete list can be had');
  return new Set(pages.flatMap((page) => page.nodes.map(({ id }) => id)));
}

function contextOf({ secret, endpoint, config }: LiveFlags, budget: RateBudget): CallContext {
  const deadline = systemClock.monotonic() + CALL_TIMEOUT_MS;
  const fingerprint = createHash('sha256').update(JSON.stringify(secret)).digest('hex').slice(0, 12);
  return {
    signal: new AbortController().signal,
    remainingMs: () => deadline - systemClock.monotonic(),
    clock: systemClock,
    log: silentLogger,
    credential: {
      fingerprint,
      get: (key) => secret[key],
      getFile: (key) => (secret[key] === undefined ? undefined : Buffer.from(secret[key])),
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    config,
    budget,
  };
}

/** An installation of its own, so that two runs in one account never take each other's machines for theirs. */
function launchingOf({ lifetimeSeconds }: LiveFlags): Launching {
  const installation = base32(systemRandom.bytes(5));
  return { installation, authorizedKey: anyKey(), maxLifetimeSeconds: lifetimeSeconds, timeoutMs: CALL_TIMEOUT_MS };
}

/** A good key of which nobody has the other half: no machine of the rules is ever logged in to. */
function anyKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const parts = [Buffer.from('ssh-ed25519'), Buffer.from(x, 'base64url')];
  const blob = Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part]));
  return `ssh-ed25519 ${blob.toString('base64')} conformance`;
}

function tellPlan(
  { cloud, endpoint, lifetimeSeconds }: LiveFlags,
  plan: { readonly accountId: string; readonly priced: Priced; readonly worst: Worst; readonly endsItself: boolean },
): void {
  const { offering, pricePerHour } = plan.priced;
  say(`account ${plan.accountId} of ${cloud}${endpoint === undefined ? '' : ` at ${endpoint}`}`);
  const { instanceType, region, zone, market } = offering;
  say(`machine ${instanceType} (${market}) in ${zone ?? region}, $${pricePerHour} per hour`);
  const { machines, usd: worst } = plan.worst;
  say(`at worst ${machines} machines for ${lifetimeSeconds} s each: $${usd(worst)}`);
  if (!plan.endsItself)
    say('This cloud ends no machine by itself: the worst holds only if this program is not killed.');
}

async function confirmed(accountId: string): Promise<void> {
  process.stdout.write(`Type the id of the account to go on: `);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === accountId) return;
    break;
  }
  throw new Refused('the account was not confirmed');
}

function usd(amount: number): string {
  return amount.toFixed(4);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
