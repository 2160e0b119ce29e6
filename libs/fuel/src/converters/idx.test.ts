import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { idx } from '../../test/idx-files.js';
import { CorruptInput, MissingInput } from '../errors.js';
import { openIdx } from './idx.js';

const content = idx(
  [50, 3, 4],
  Uint8Array.from({ length: 600 }, (_, i) => (i * i) % 256),
);

test('header and elements are read', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.gz');
  await writeFile(path, gzipSync(content));

  const file = await openIdx(path, 3);

  expect(file.shape).toEqual([50, 3, 4]);
  expect((await read(path)).equals(content.subarray(16))).toBe(true);
});

test('a gzip file that is cut short anywhere is refused by name', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.gz');
  const whole = gzipSync(content);

  for (let length = 0; length < whole.length; length += 5) {
    await writeFile(path, whole.subarray(0, length));
    const problem = await read(path).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(CorruptInput);
    expect(String(problem)).toContain(path);
  }
});

test('a flipped bit is refused, unless it is one that changes no element', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.gz');
  const whole = gzipSync(content);
  const outcomes: unknown[] = [];

  for (let byte = 0; byte < whole.length; byte += 1) {
    const flipped = Buffer.from(whole);
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << (byte % 8));
    await writeFile(path, flipped);
    outcomes.push(await read(path).catch((error: unknown) => error));
  }

  const refused = outcomes.filter((outcome) => outcome instanceof CorruptInput);
  const passed = outcomes.filter((outcome) => Buffer.isBuffer(outcome) && outcome.equals(content.subarray(16)));
  expect(refused.length + passed.length).toBe(whole.length);
  // Time, extra flags and operating system in the head of gzip are no part of the content.
  expect(refused.length).toBeGreaterThan(whole.length - 10);
});

test('another magic number, rank or size is refused, and both are said', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.gz');
  const refusal = async (bytes: Buffer): Promise<string> => {
    await writeFile(path, gzipSync(bytes));
    return read(path).then(String, String);
  };

  expect(await refusal(Buffer.from('not an IDX file at all'))).toMatch(/magic number 0x6e6f7420, .* 0x00000803/);
  expect(await refusal(idx([600], content.subarray(16)))).toMatch(/magic number 0x00000801/);
  expect(await refusal(idx([51, 3, 4], content.subarray(16)))).toMatch(/holds 600 elements, but its header says 612/);
  expect(await refusal(idx([49, 3, 4], content.subarray(16)))).toMatch(/holds more than the 588 elements/);
  expect(await refusal(idx([0, 3, 4], Buffer.alloc(0)))).toMatch(/has no elements/);
  expect(await refusal(idx([2 ** 32 - 1, 9999, 9999], Buffer.alloc(0)))).toMatch(
    /more than its \d+ bytes of gzip can hold/,
  );
  expect(await refusal(idx([7], new Uint8Array(7)).fill(3, 3, 4))).toMatch(/holds 15 bytes, too few/);
});

test('what is missing is said to be so', async () => {
  const folder = await temporaryFolder();
  await expect(openIdx(join(folder, 'none.gz'), 3)).rejects.toThrow(MissingInput);
});

async function read(path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of (await openIdx(path, 3)).elements()) pieces.push(piece);
  return Buffer.concat(pieces);
}
