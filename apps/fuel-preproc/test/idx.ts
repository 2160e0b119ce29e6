import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Writes MNIST's four files for 20 training and 8 test images of 4 x 4 pixels: pixel values count up, labels go round. */
export async function writeIdxFiles(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [prefix, count] of [
    ['train', 20],
    ['t10k', 8],
  ] as const) {
    const pixels = Uint8Array.from({ length: count * 16 }, (_, index) => index % 251);
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 10);
    await writeFile(join(folder, `${prefix}-images-idx3-ubyte.gz`), gzipSync(idx([count, 4, 4], pixels)));
    await writeFile(join(folder, `${prefix}-labels-idx1-ubyte.gz`), gzipSync(idx([count], labels)));
  }
}

/** An IDX file of bytes: zero, zero, type 8, rank, the sizes as big-endian integers, the elements. */
export function idx(shape: readonly number[], elements: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt8(8, 2);
  header.writeUInt8(shape.length, 3);
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis);
  return Buffer.concat([header, elements]);
}
