/** Loads the catalogs of a folder once, in a process that does nothing else. Usage: node load-once.ts [DIR] */
import { catalogFiles, viewsOf } from './catalogs.ts';
import { rounded } from './measure.ts';

const MIB = 1_048_576;

const before = process.memoryUsage().rss;
const start = performance.now();
const clouds = viewsOf(await catalogFiles(process.argv[2]));
const wallMs = performance.now() - start;
// Kibibytes.
const peak = process.resourceUsage().maxRSS * 1_024;
if (clouds.length === 0) throw new Error('there are no catalogs');
process.stdout.write(
  JSON.stringify({
    wallMs: rounded(wallMs),
    peakRssMiB: rounded(peak / MIB),
    addedRssMiB: rounded((peak - before) / MIB),
  }),
);
