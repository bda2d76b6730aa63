/** The accelerator name behind a Kubernetes node label such as `NVIDIA-A100-SXM4-80GB`. */
import { DEVICES } from '../../catalog/devices.ts';

const NOISE = /^(NVIDIA|Tesla|GPU|PCIE|SXM\d*|HBM\d*)$/i;
const SIZE = /^\d{1,5}GB$/i;
const KNOWN: ReadonlySet<string> = new Set(DEVICES.map(({ name }) => name));

export function acceleratorOfLabel(label: string): string {
  const words = label.split('-').filter((word) => !NOISE.test(word));
  const bare = words.filter((word) => !SIZE.test(word)).join('-');
  const sized = words.find((word) => KNOWN.has(`${bare}-${word.toUpperCase()}`));
  return sized === undefined ? bare : `${bare}-${sized.toUpperCase()}`;
}
