/** A tar archive (ustar) of plain files. The same files give the same bytes: no owner, no time. */
export interface TarFile {
  /** One short name of ours, at most 100 bytes of ASCII. */
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

const BLOCK = 512;

export function tar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap((file) => [header(file), file.content, Buffer.alloc(padding(file.content.length))]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(file: TarFile): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(file.name, 0, 100, 'ascii');
  block.write(octal(file.mode & 0o777, 8), 100, 'ascii');
  block.write(octal(0, 8), 108, 'ascii');
  block.write(octal(0, 8), 116, 'ascii');
  block.write(octal(file.content.length, 12), 124, 'ascii');
  block.write(octal(0, 12), 136, 'ascii');
  // The checksum counts its own field as blanks.
  block.write('        0', 148, 'ascii');
  block.write('ustar\u000000', 257, 'ascii');
  block.write(
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      8,
    ),
    148,
    'ascii',
  );
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function padding(length: number): number {
  return (BLOCK - (length % BLOCK)) % BLOCK;
}
