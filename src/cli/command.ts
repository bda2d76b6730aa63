/** `kubectl sky`: from a command line to an exit code. */
import { isKubeError } from '../kube/errors.ts';
import { check } from './check.ts';
import { convert, CONVERT_FLAGS } from './convert.ts';
import { cost } from './cost.ts';
import { cancel, down } from './end.ts';
import { OUTPUT } from './json.ts';
import { logs } from './logs.ts';
import { offers } from './offers.ts';
import { EXIT } from './objects.ts';
import { plan } from './plan.ts';
import { CATALOGS } from './price-lists.ts';
import { deskOf, inSession, type LocalRun, type Output, type Run } from './session.ts';
import { status } from './status.ts';
import { type Flag, helpOf, parseCommand, type Syntax, UsageError } from './usage.ts';
import { version } from './version.ts';

const ALL_NAMESPACES: Readonly<Record<string, Flag>> = {
  'all-namespaces': { short: 'A', help: 'objects of all namespaces' },
};
const LOG_FLAGS: Readonly<Record<string, Flag>> = {
  follow: { short: 'f', help: 'to the end of the job; the exit code is 0 succeeded, 100 failed, 103 cancelled' },
  rank: { value: 'N', help: 'of one rank; default all' },
  attempt: { value: 'N', help: 'of one attempt; default the newest' },
  tail: { value: 'N', help: 'last N lines of each rank; default all' },
};
const WAIT: Readonly<Record<string, Flag>> = { wait: { help: 'until every machine is proved gone' } };

const ALL: Readonly<Record<string, Flag>> = { all: { help: 'every place, not only the cheapest of each kind' } };
const PLAN_FLAGS: Readonly<Record<string, Flag>> = {
  file: {
    short: 'f',
    value: 'FILE',
    help: 'YAML with SkyClusters and SkyJobs, or a SkyPilot task; - reads standard input; asks no cluster',
  },
  ...CATALOGS,
  ...ALL,
  ...OUTPUT,
};
const OFFER_FLAGS: Readonly<Record<string, Flag>> = {
  infra: { value: 'PLACE', help: 'CLOUD[/REGION[/ZONE]]; default everywhere' },
  spot: { help: 'spot prices instead of on-demand' },
  ...CATALOGS,
  ...ALL,
  ...OUTPUT,
};

interface Verb extends Syntax {
  readonly run: LocalRun;
}

function onCluster(run: Run): LocalRun {
  return (desk) => inSession(desk, run);
}

const VERBS: Readonly<Record<string, Verb>> = {
  status: {
    name: 'optional',
    help: 'clusters and jobs; with NAME one of them, what it stands on and what is in its way',
    flags: { ...ALL_NAMESPACES, ...OUTPUT },
    run: onCluster(status),
  },
  logs: { name: 'required', help: 'the log of a job', flags: LOG_FLAGS, run: onCluster(logs) },
  cost: {
    name: 'none',
    help: 'what was spent and is being spent, by object',
    flags: { ...ALL_NAMESPACES, ...OUTPUT },
    run: onCluster(cost),
  },
  cancel: { name: 'required', help: 'end a job and keep its record', flags: {}, run: onCluster(cancel) },
  down: { name: 'required', help: 'delete a cluster and give its machines back', flags: WAIT, run: onCluster(down) },
  plan: {
    name: 'optional',
    called: '[skycluster/|skyjob/]NAME',
    help: 'where the machines of a file would be rented, and at which price; with NAME, what the operator chose for an object',
    flags: PLAN_FLAGS,
    run: plan,
  },
  check: {
    name: 'optional',
    help: 'which clouds can be used, what was found there, and what to do for those that cannot; exit 1 if any cannot',
    flags: OUTPUT,
    run: onCluster(check),
  },
  offers: {
    name: 'optional',
    called: 'ACCELERATOR[:N]',
    local: true,
    help: 'what can be rented, where, at which price, and which field of spec.resources asks for it',
    flags: OFFER_FLAGS,
    run: offers,
  },
  convert: {
    name: 'required',
    called: 'FILE',
    local: true,
    help: 'a SkyPilot task as a SkyCluster or SkyJob; - reads standard input',
    flags: CONVERT_FLAGS,
    run: convert,
  },
  version: {
    name: 'none',
    help: 'version of this command and of the API server',
    flags: OUTPUT,
    run: onCluster(version),
  },
};

export async function command(args: readonly string[], output: Output): Promise<number> {
  try {
    const parsed = parseCommand(args, VERBS);
    if (parsed.kind === 'Run') return await verbOf(parsed.verb).run(deskOf(parsed.given, output));
    output.stdout.write(`${helpOf(VERBS, parsed.verb)}\n`);
    return EXIT.ok;
  } catch (error) {
    output.stderr.write(`kubectl sky: ${error instanceof Error ? error.message : String(error)}\n`);
    return codeOfError(error);
  }
}

function verbOf(name: string): Verb {
  const verb = VERBS[name];
  if (!verb) throw new Error(`no verb ${name}`);
  return verb;
}

function codeOfError(error: unknown): number {
  if (error instanceof UsageError || isKubeError(error, 400, 422)) return EXIT.usage;
  if (isKubeError(error, 404)) return EXIT.notFound;
  return isKubeError(error, 401, 403) ? EXIT.forbidden : EXIT.failed;
}
