/** Memory of one device as the column GpuInfo tells it: `{"Gpus":[{"Name","MemoryMiB","Count"}]}`. */

const MIB_PER_GIB = 1_024;

/** GiB, rounded; undefined where the text tells none, which is no mistake worth a row. */
export function deviceGiB(gpuInfo: string): number | undefined {
  // Upstream catalogs hold the text of a Python dict as well.
  const mib = /["']MemoryMiB["']: {0,4}(\d{1,9})\b/.exec(gpuInfo)?.[1];
  return mib === undefined ? undefined : Math.round(Number(mib) / MIB_PER_GIB);
}
