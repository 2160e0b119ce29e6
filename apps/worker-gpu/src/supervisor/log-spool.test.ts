import { statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLogEntry, type LogEntry } from '@longrun/serialization';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogSpool, type SpooledRows } from './log-spool.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-spool-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function entryAt(step: number, bytes = 10): LogEntry {
  return { step, row: { cost: step / 3, note: 'ü'.repeat(bytes / 2) } };
}

/** The lines that a checkpoint takes. */
async function linesOf({ files, written }: Pick<SpooledRows, 'files' | 'written'>): Promise<string> {
  await written;
  const lines: string[] = [];
  for (const { path, fromStep = 0, beforeStep = Infinity } of files) {
    for (const line of (await readFile(path, 'utf8')).split('\n').slice(0, -1)) {
      const { step } = JSON.parse(line) as LogEntry;
      if (step >= fromStep && step < beforeStep) lines.push(`${line}\n`);
    }
  }
  return lines.join('');
}

test('each cut hands over the rows since the one before, in the order in which they came', async () => {
  const spool = new LogSpool(join(folder, 'log'));
  const entries = Array.from({ length: 300 }, (_, index) => entryAt(index));
  const cuts = entries.flatMap((entry) => {
    spool.add(entry);
    return entry.step % 100 === 99 ? [spool.cut()] : [];
  });
  expect(cuts).toHaveLength(3);
  for (const [index, cut] of cuts.entries()) {
    expect(await linesOf(cut)).toBe(
      entries
        .slice(index * 100, (index + 1) * 100)
        .map(encodeLogEntry)
        .join(''),
    );
  }
});

test.each([0, 1, 2, 7, 30])(
  'rows of steps that a snapshot knows nothing of are for the next one, though they came %i steps before it',
  async (lag) => {
    const spool = new LogSpool(join(folder, 'log'));
    const snapshots = [1, 2, 5, 14, 15, 16, 40];
    const last = 40 + lag;
    let handedOver = '';
    for (let step = 0; step <= last; step += 1) {
      spool.add(entryAt(step));
      if (!snapshots.includes(step - lag)) continue;
      const cut = spool.cut(step - lag);
      handedOver += await linesOf(cut);
      expect(handedOver).toBe(linesUpTo(step - lag - 1));
      await cut.discard();
    }
    const final = spool.cut();
    expect(handedOver + (await linesOf(final))).toBe(linesUpTo(last));
    await final.discard();
    expect(await readdir(join(folder, 'log'))).toEqual([]);
  },
);

function linesUpTo(last: number): string {
  return Array.from({ length: last + 1 }, (_, step) => encodeLogEntry(entryAt(step))).join('');
}

test('the rest is all rows that are part of no checkpoint, in their order, whatever was handed over', async () => {
  const spool = new LogSpool(join(folder, 'log'));
  const add = (from: number, to: number): void => {
    for (let step = from; step <= to; step += 1) spool.add(entryAt(step));
  };
  expect(spool.rest().files).toEqual([]);
  add(0, 9);
  const committed = spool.cut(5);
  add(10, 19);
  const failed = spool.cut(15);
  add(20, 29);
  const alsoFailed = spool.cut(25);
  add(30, 34);
  await committed.discard();
  const rest = await linesOf(spool.rest());
  expect(rest).toBe(linesUpTo(34).slice(linesUpTo(4).length));
  expect(await linesOf(spool.rest())).toBe(rest);
  await failed.discard();
  await alsoFailed.discard();
  expect(await linesOf(spool.rest())).toBe(linesUpTo(34).slice(linesUpTo(24).length));
});

test('without rows there is no file', async () => {
  const spool = new LogSpool(join(folder, 'log'));
  expect(spool.cut().files).toEqual([]);
  spool.add(entryAt(1));
  expect(spool.cut().files).toHaveLength(1);
  expect(spool.cut().files).toEqual([]);
  expect(await readdir(folder)).toEqual(['log']);
});

test('rows that come faster than they are written behind do not pile up in memory', async () => {
  const spool = new LogSpool(join(folder, 'log'));
  const lines: string[] = [];
  let addedBytes = 0;
  // Nothing is written behind while this loop runs.
  for (let step = 1; step <= 60; step += 1) {
    const entry = entryAt(step, 200_000);
    spool.add(entry);
    lines.push(encodeLogEntry(entry));
    addedBytes += Buffer.byteLength(encodeLogEntry(entry));
    const inMemoryBytes = addedBytes - statSync(join(folder, 'log', 'rows-1.ndjson')).size;
    expect(inMemoryBytes).toBeLessThan(1024 * 1024);
  }
  const cut = spool.cut();
  expect(await linesOf(cut)).toBe(lines.join(''));
});

test('rows that could not be written are said when they are handed over', async () => {
  await writeFile(join(folder, 'log'), 'a file where the folder should be');
  const spool = new LogSpool(join(folder, 'log'));
  spool.add(entryAt(1));
  spool.add(entryAt(2));
  await expect(spool.cut().written).rejects.toThrow('EEXIST');
});

test('a full disk is said when the rows are handed over, and not to whoever adds one', async () => {
  await mkdir(join(folder, 'log'));
  for (const number of [1, 2]) await symlink('/dev/full', join(folder, 'log', `rows-${number}.ndjson`));
  const spool = new LogSpool(join(folder, 'log'));
  spool.add(entryAt(1));
  await expect(spool.cut().written).rejects.toThrow('ENOSPC');
  for (let step = 1; step <= 10; step += 1) spool.add(entryAt(step, 200_000));
  await expect(spool.cut().written).rejects.toThrow('ENOSPC');
  spool.add(entryAt(11));
  await expect(spool.cut().written).resolves.toBeUndefined();
});
