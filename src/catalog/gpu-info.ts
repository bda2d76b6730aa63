/** Memory of one device as the column GpuInfo tells it: `{"Gpus":[{"Name","MemoryMiB","Count"}]}`. */

const MIB_PER_GIB = 1_024;

/** GiB, rounded; undefined where the text tells none, which is no mistake worth a row. */
export function deviceGiB(gpuInfo: string | undefined): number | undefined {
  if (gpuInfo === undefined) return undefined;
  // Upstream catalogs hold the text of a Python dict as well, with the size as `'MemoryInfo': {'SizeInMiB': 16384}`.
  const mib = /["'](?:MemoryMiB|SizeInMiB)["']: {0,4}(\d{1,9})\b/.exec(gpuInfo)?.[1];
  // Some of them write GiB there.
  return mib === undefined || Number(mib) < MIB_PER_GIB ? undefined : Math.round(Number(mib) / MIB_PER_GIB);
}
