import { createHash } from 'node:crypto';
import type { DraftCatalog } from './draft.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone';
const MICRO = 1_000_000;

/** SHA-256, hex, of the rows as CSV with shortest decimals, in the order of the draft. */
export function canonicalHash({ drafts, offerings, places }: DraftCatalog): string {
  const { place, onDemand, spot } = offerings;
  const placeCells = Array.from(places.region, (region, id) =>
    [places.regions[region] ?? '', places.zones[places.zone[id] ?? 0] ?? ''].map(textCell).join(','),
  );
  const hash = createHash('sha256').update(`${HEADER}\n`);
  for (const { machine, rows } of drafts) {
    const { name, acceleratorName = '', acceleratorCount, vCPUs, memoryGiB } = machine;
    const numbers = [acceleratorCount || NaN, vCPUs, memoryGiB].map(numberCell);
    const machineCells = [textCell(name), textCell(acceleratorName), ...numbers].join(',');
    let text = '';
    for (const row of rows) {
      const prices = `${priceCell(onDemand[row] ?? NaN)},${priceCell(spot[row] ?? NaN)}`;
      text += `${machineCells},${prices},${placeCells[place[row] ?? 0]}\n`;
    }
    hash.update(text);
  }
  return hash.digest('hex');
}

function priceCell(micro: number): string {
  return numberCell(micro / MICRO);
}

function numberCell(value: number): string {
  return Number.isNaN(value) ? '' : String(value);
}

function textCell(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
