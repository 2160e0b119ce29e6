import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { CorruptInput, describeH5Dataset, H5Dataset, UnsuitableDataset } from '../src/index.js';
import { temporaryFolder } from './folder.js';

const goldens = fileURLToPath(new URL('goldens/', import.meta.url));
const FILES = 75;
const LARGEST_HEAP = 256 << 20;

/** A file with some bits flipped, or cut short. */
function damaged(whole: Buffer, random: { integer(below: number): number }): Buffer {
  if (random.integer(4) === 0) return whole.subarray(0, random.integer(whole.length));
  const bytes = Buffer.from(whole);
  for (let flips = 1 + random.integer(3); flips > 0; flips -= 1) {
    const at = random.integer(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
  }
  return bytes;
}

for (const [file, split] of [
  ['fuel.hdf5', 'train'],
  ['latest.hdf5', 'some'],
  ['layouts-latest.hdf5', 'all'],
  ['split-words.hdf5', 'all'],
  ['ragged-fuel.hdf5', 'test'],
] as const) {
  test(`a damaged file is read, or refused with a clear error: ${file}`, async () => {
    const folder = await temporaryFolder();
    const whole = await readFile(join(goldens, file));
    const random = new RandomStreams(7).stream(file);
    const seen = new Map<string, number>();
    for (let time = 0; time < FILES; time += 1) {
      const path = join(folder, `${time}.hdf5`);
      await writeFile(path, damaged(whole, random));
      const end = await read(path, split).catch((error: unknown) => error);
      const refused = end instanceof CorruptInput || end instanceof UnsuitableDataset || end instanceof RangeError;
      expect(end === 'read' || (refused && end.message.includes(path)), `${time}: ${String(end)}`).toBe(true);
      const kind = end instanceof Error ? end.name : 'read';
      seen.set(kind, 1 + (seen.get(kind) ?? 0));
    }
    // Damage that no test ever sees would be no damage.
    expect(seen.get('CorruptInput')).toBeGreaterThan(10);
    expect(seen.get('read')).toBeGreaterThan(10);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(LARGEST_HEAP);
  });
}

async function read(path: string, split: string): Promise<'read'> {
  const { sources } = await describeH5Dataset(path);
  const readable = sources.filter(({ dtype }) => dtype !== null).map(({ name }) => name);
  const dataset = await H5Dataset.open(path, { whichSets: [split], sources: readable.slice(0, 4) });
  try {
    await dataset.getData({ start: 0, stop: Math.min(2, dataset.examplesCount) });
  } finally {
    await dataset.close();
  }
  return 'read';
}
