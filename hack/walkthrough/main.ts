/** The demo: one job, two nodes, a cloud without room, a machine that is taken away, and a bill. Each step names the command that shows it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { heading, say } from './print.ts';
import { story } from './story.ts';
import { standUp } from './system.ts';

const HELP = `Usage: ./hack/demo [--keep]

Starts a Kubernetes API server, a simulated cloud (FluffyCloud) and the operator on this machine, runs a job on two rented
machines through a lack of capacity and the loss of a machine, streams its log, shows what it cost, and cleans up.

  --keep   leave everything running afterwards, until Ctrl-C, to look around with kubectl`;

const { values } = parseArgs({ options: { keep: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help) {
  console.log(HELP);
} else {
  process.exitCode = await demo(values.keep ?? false);
}

async function demo(keep: boolean): Promise<number> {
  const startedAt = Date.now();
  const folder = await mkdtemp(join(tmpdir(), 'sky-demo-'));
  const interrupted = new Promise<void>((resolve) => process.once('SIGINT', resolve));
  const system = await standUp(folder);
  try {
    const told = story(system).then(() => 'told' as const);
    if ((await Promise.race([told, interrupted])) !== 'told') return 130;
    heading(`Done in ${Math.round((Date.now() - startedAt) / 1_000)} s`);
    if (keep) {
      say(
        `Everything is still up. Look around in another terminal, and end it here with Ctrl-C:\n\n  export KUBECONFIG=${system.plane.kubeconfig}\n  kubectl get sky -A`,
      );
      await interrupted;
    }
    return 0;
  } catch (error) {
    say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    say(`Last words of the operator:\n${(await system.operator.log()).split('\n').slice(-15).join('\n')}`);
    return 1;
  } finally {
    await system.takeDown();
    await rm(folder, { recursive: true, force: true });
  }
}
