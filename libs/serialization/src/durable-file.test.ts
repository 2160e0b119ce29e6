import { readFileSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { hashFile, readPieces, writeDurably, writeWhole } from './durable-file.js';
import { sha256Of } from './sha256.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'durable-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

const MIB = 1 << 20;

/** So many bytes, no MiB like another. */
function bytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + Math.floor(at / MIB) * 7) % 251;
  return bytes;
}

async function written(length: number): Promise<{ readonly file: string; readonly bytes: Buffer }> {
  const file = path.join(folder, 'file');
  const bytes = bytesOf(length);
  await writeFile(file, bytes);
  return { file, bytes };
}

test.each([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 3])(
  'a file of %i bytes is read a piece at a time, each whole until the next is asked for',
  async (length) => {
    const { file, bytes } = await written(length);
    const pieces: Buffer[] = [];
    for await (const piece of readPieces(file)) {
      // The next one is being read meanwhile.
      await readFile(file);
      pieces.push(Buffer.from(piece));
    }
    expect(pieces.every(({ byteLength }) => byteLength > 0 && byteLength <= MIB)).toBe(true);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(await hashFile(file)).toEqual({ sha256: sha256Of(bytes), sizeBytes: length });
  },
);

test.each([
  [3 * MIB, 0],
  [2 * MIB + 5, MIB - 1],
  [10 * MIB, 5 * MIB],
  [7, 6 * MIB],
  [0, 3],
])('of %i bytes from %i on those are read that there are of 5 MiB', async (mostBytes, start) => {
  const { file, bytes } = await written(5 * MIB);
  const pieces: Buffer[] = [];
  for await (const piece of readPieces(file, mostBytes, start)) pieces.push(Buffer.from(piece));
  expect(Buffer.concat(pieces).equals(bytes.subarray(start, start + mostBytes))).toBe(true);
});

test('who stops in the middle leaves a handle that can be closed at once', async () => {
  const { file } = await written(5 * MIB);
  const handle = await open(file);
  for await (const piece of readPieces(handle)) {
    expect(piece.byteLength).toBe(MIB);
    break;
  }
  await handle.close();
});

test('what cannot be read rejects where it is asked for, whoever asks when', async () => {
  const { file } = await written(2 * MIB);
  const handle = await open(file, 'a');
  await expect(readPieces(handle).next()).rejects.toThrow('EBADF');
  await handle.close();
  await expect(readPieces(path.join(folder, 'absent')).next()).rejects.toThrow('ENOENT');
});

test('a file that is written is there whole or not at all, and is hashed as it was written', async () => {
  const bytes = bytesOf(3 * MIB + 1);
  const file = path.join(folder, 'file');
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 10);
    expect(await readdir(folder)).not.toContain('file');
    yield bytes.subarray(10);
  };
  expect(await writeDurably(file, chunks())).toEqual({ sha256: sha256Of(bytes), sizeBytes: bytes.byteLength });
  expect((await readFile(file)).equals(bytes)).toBe(true);

  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
    throw new Error('no more');
  };
  for (const write of [writeDurably, writeWhole]) await expect(write(file, failing())).rejects.toThrow('no more');
  expect(await readdir(folder)).toEqual(['file']);
  expect((await readFile(file)).equals(bytes)).toBe(true);
  expect(await writeWhole(file, [bytes.subarray(0, 5)])).toBe(5);
  expect((await readFile(file)).equals(bytes.subarray(0, 5))).toBe(true);
});

test('what is written of chunks that last is told from the first byte on, and is what whoever reads it then finds', async () => {
  const bytes = bytesOf(21 * MIB + 5);
  const file = path.join(folder, 'file');
  const told: number[] = [];
  const chunks = [bytes.subarray(0, 7), bytes.subarray(7, 7), bytes.subarray(7, 13 * MIB), bytes.subarray(13 * MIB)];
  const onWritten = (growing: string, sizeBytes: number): void => {
    told.push(sizeBytes);
    expect(readFileSync(growing).subarray(0, sizeBytes).equals(bytes.subarray(0, sizeBytes))).toBe(true);
  };
  expect(await writeWhole(file, chunks, { onWritten, areLasting: true })).toBe(bytes.byteLength);
  const ends = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, index) => (from + index) * MIB);
  const within = ends(1, 13).map((end) => 7 + end);
  expect(told).toEqual([7, ...within, 13 * MIB, ...ends(14, 22), bytes.byteLength]);
  expect((await readFile(file)).equals(bytes)).toBe(true);
});

test('a process that seldom turns to its files has more of one written each time', async () => {
  const bytes = bytesOf(64 * MIB);
  const state = { isOver: false };
  let [writtenThisTurn, most] = [0, 0];
  const onWritten = (): void => void (most = Math.max(most, (writtenThisTurn += 1)));
  const options = { onWritten, areLasting: true };
  const writing = writeWhole(path.join(folder, 'file'), [bytes], options).finally(() => (state.isOver = true));
  while (!state.isOver) {
    writtenThisTurn = 0;
    for (const begunAt = performance.now(); performance.now() - begunAt < 120;);
    await setImmediate();
  }
  expect(await writing).toBe(bytes.byteLength);
  expect(most).toBeGreaterThanOrEqual(4);
});

test('of chunks that last nothing stays, and no write goes on, when one fails', async () => {
  const bytes = bytesOf(9 * MIB);
  const file = path.join(folder, 'file');
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
    throw new Error('no more');
  };
  await expect(writeWhole(file, chunks(), { areLasting: true })).rejects.toThrow('no more');
  expect(await readdir(folder)).toEqual([]);
});
