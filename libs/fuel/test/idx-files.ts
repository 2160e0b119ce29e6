import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** IDX of unsigned bytes, not yet compressed. */
export function idx(shape: readonly number[], elements: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 + shape.length);
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([header, elements]);
}

/** A small dataset in MNIST's four files: 7 and 3 images of 4 x 5, that count up, with labels that do. */
export async function writeMnistFiles(folder: string, overrides: Readonly<Record<string, Buffer>> = {}): Promise<void> {
  const counting = (size: number, modulus: number): Uint8Array =>
    Uint8Array.from({ length: size }, (_, i) => i % modulus);
  const files: Record<string, Buffer> = {
    'train-images-idx3-ubyte.gz': gzipSync(idx([7, 4, 5], counting(140, 251))),
    'train-labels-idx1-ubyte.gz': gzipSync(idx([7], counting(7, 10))),
    't10k-images-idx3-ubyte.gz': gzipSync(idx([3, 4, 5], counting(60, 241))),
    't10k-labels-idx1-ubyte.gz': gzipSync(idx([3], Uint8Array.of(9, 8, 7))),
    ...overrides,
  };
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}
