/** Accelerators by name: who makes them, and the nominal memory of one. */

export interface Device {
  readonly vendor: string;
  readonly name: string;
  readonly memoryGiB: number;
}

const NVIDIA = `K520 4, M60 8, P4 8, M4000 8, P4000 8, K80 12, P100 16, T4 16, T4g 16, V100 16, V100-32GB 32, A4000 16,
  RTXA4000 16, RTX4000-Ada 20, RTXA4500 20, A10 24, A10G 24, L4 24, RTX3090 24, RTX4090 24, RTX6000 24, RTXA5000 24,
  RTXPRO4500 32, A100 40, A6000 48, RTXA6000 48, RTX6000-Ada 48, L40 48, L40S 48, A100-80GB 80, A100-80GB-SXM 80, H100 80,
  H100-SXM 80, H100-MEGA 80, GH200 96, RTXPRO6000 96, H200 141, H200-SXM 141, GB200 186, B200 192, B300 288`;
const AMD = 'Radeon Pro V520 8, Radeon MI25 16, Radeon Pro V710 24, Radeon Pro V620 32, MI300X 192';
const AWS = 'Inferentia 8, Inferentia2 32, Trainium 32, Trainium2 96';
const INTEL = 'Gaudi HL-205 32';

/** In name order. */
export const DEVICES: readonly Device[] = [
  ...devicesOf('nvidia', NVIDIA),
  ...devicesOf('amd', AMD),
  ...devicesOf('aws', AWS),
  ...devicesOf('intel', INTEL),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The spelling of the table by lower-cased name. */
export const DEVICE_NAMES: ReadonlyMap<string, string> = new Map(DEVICES.map(({ name }) => [name.toLowerCase(), name]));

function devicesOf(vendor: string, list: string): Device[] {
  return list.split(',').map((entry) => {
    const words = entry.trim().split(' ');
    return { vendor, name: words.slice(0, -1).join(' '), memoryGiB: Number(words.at(-1)) };
  });
}
