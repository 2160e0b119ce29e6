import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** What the tiny dataset consists of. */
export interface TinyMnistOptions {
  readonly train: number;
  readonly test: number;
  /** Pixels in a row and in a column. */
  readonly side: number;
}

/**
 * Writes MNIST's four files: images of one bright row each, whose number is the label, so that a few steps of training
 * learn them.
 */
export async function writeTinyMnist(folder: string, { train, test, side }: TinyMnistOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [prefix, examples] of [
    ['train', train],
    ['t10k', test],
  ] as const) {
    const pixels = Buffer.alloc(examples * side * side);
    const labels = Buffer.alloc(examples);
    for (let example = 0; example < examples; example += 1) {
      const label = example % Math.min(10, side);
      labels[example] = label;
      pixels.fill(200 + (example % 50), (example * side + label) * side, (example * side + label + 1) * side);
    }
    await writeFile(join(folder, `${prefix}-images-idx3-ubyte.gz`), gzipSync(idx([examples, side, side], pixels)));
    await writeFile(join(folder, `${prefix}-labels-idx1-ubyte.gz`), gzipSync(idx([examples], labels)));
  }
}

/** IDX: two zeros, the type of unsigned bytes, the rank, the sizes in big-endian order, the bytes. */
function idx(shape: readonly number[], bytes: Buffer): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt8(0x08, 2);
  head.writeUInt8(shape.length, 3);
  shape.forEach((length, axis) => head.writeUInt32BE(length, 4 + 4 * axis));
  return Buffer.concat([head, bytes]);
}
