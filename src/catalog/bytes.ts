/** Catalogs as files: text, or text packed by gzip. */
import { gunzipSync } from 'node:zlib';
import { CatalogRefused } from './refused.ts';

/** Packed and unpacked; the largest real catalog has 10 MiB. */
export const MAX_CATALOG_BYTES = 64 * 1_024 * 1_024;

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(plain(bytes));
}

/** Unpacked where it is packed. Throws CatalogRefused where it is more than MAX_CATALOG_BYTES, or no gzip though it begins so. */
export function plain(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? unpacked(bytes) : bytes;
}

function unpacked(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_CATALOG_BYTES });
  } catch (error) {
    throw new CatalogRefused(`it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}
