/** What the Kubernetes scheduler said was short, in the order CPUs, Memory, GPUs. */
const RESOURCES: readonly (readonly [string, RegExp])[] = [
  ['CPUs', /Insufficient cpu\b/],
  ['Memory', /Insufficient memory\b/],
  ['GPUs', /Insufficient [a-z0-9.-]{1,253}\/(gpu|tpu|neuron)/],
];

export function shortages(message: string): string[] {
  return RESOURCES.filter(([, pattern]) => pattern.test(message)).map(([resource]) => resource);
}
