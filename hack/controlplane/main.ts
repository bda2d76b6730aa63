/** Runs a control plane until Ctrl-C and prints how to reach it. */
import { startControlPlane } from './start.ts';

const plane = await startControlPlane();
process.stdout.write(`KUBECONFIG=${plane.kubeconfig}\n`);
process.stderr.write('Ready. Ctrl-C stops it and removes its data.\n');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void plane.stop());
