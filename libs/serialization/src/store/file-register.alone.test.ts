import { EventEmitter, once } from 'node:events';
import { type link, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';

import { sha256Of } from '../sha256.js';
import { FileRegister } from './file-register.js';
import { PreconditionFailed } from './object-store.js';

/** Where a writer falls asleep: nothing but this differs from the real file system. */
const sleep = vi.hoisted(() => ({
  beforeLink: async (): Promise<void> => undefined,
  afterLink: async (): Promise<void> => undefined,
  afterRefusedLink: async (): Promise<void> => undefined,
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real: { link: typeof link } = await importOriginal();
  return {
    ...real,
    link: async (...names: Parameters<typeof link>) => {
      await sleep.beforeLink();
      await real.link(...names).catch(async (error: unknown) => {
        await sleep.afterRefusedLink();
        throw error;
      });
      await sleep.afterLink();
    },
  };
});

/** Sixteen generations, up to eight that are not collected yet, and the file that says that others were. */
const MOST_FILES = 25;

let register: FileRegister;

beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'register-'));
  register = new FileRegister(path.join(folder, 'r~'), 'r');
  onTestFinished(() => rm(folder, { recursive: true }));
});

test('the newest sixteen generations are kept, and each eighth time the others are collected', async () => {
  const before = await set(39);
  expect((await readdir(register.folder)).length).toBe(MOST_FILES - 1);
  await set(1, before);
  const names = (await readdir(register.folder)).toSorted();
  expect(names).toEqual([...Array.from({ length: 16 }, (_, index) => `${25 + index}`.padStart(16, '0')), 'collected']);
});

test('a value is set also where old ones cannot be collected, which the next of those who do makes up for', async () => {
  const before = await set(23);
  const mark = path.join(register.folder, 'collected');
  await symlink('absent/mark', mark);
  const version = await set(1, before);
  expect(await register.read()).toMatchObject({ version });
  expect(await readdir(register.folder)).toHaveLength(MOST_FILES);
  await rm(mark);
  await set(8, version);
  expect((await readdir(register.folder)).length).toBeLessThanOrEqual(MOST_FILES);
});

test.each([0, 1, 2, 5])(
  'a writer that slept since generation %i, past the collection of its successor, loses and leaves no trace',
  async (start) => {
    const version = await set(start);
    const sleeper = asleep('beforeLink', () => register.compareAndSet(version, bytes('sleeper')));
    await sleeper.fallsAsleep;
    const newest = await set(30, version);
    expect(await readdir(register.folder)).not.toContain(`${start + 1}`.padStart(16, '0'));

    sleeper.wake();

    await expect(sleeper.result).rejects.toThrow(PreconditionFailed);
    expect(await register.read()).toMatchObject({ version: newest });
    expect(await readdir(register.folder)).not.toContain(`${start + 1}`.padStart(16, '0'));
    expect((await readdir(register.folder)).filter((name) => name.startsWith('pending'))).toEqual([]);
  },
);

test.each([0, 1, 2, 5])(
  'a winner of the generation after %i that slept, while many more came, knows that it has won',
  async (start) => {
    const version = await set(start);
    const winner = asleep('afterLink', () => register.compareAndSet(version, bytes('winner')));
    await winner.fallsAsleep;
    const read = await register.read();
    expect(read?.bytes).toEqual(bytes('winner'));
    await set(50, read?.version ?? null);

    winner.wake();

    expect(await winner.result).toBe(read?.version);
    // Once it knows, what was kept for it is collected.
    await set(8, (await register.read())?.version ?? null);
    expect((await readdir(register.folder)).length).toBeLessThanOrEqual(MOST_FILES);
  },
);

test('a sleeper that has linked and not yet looked is never taken for the value', async () => {
  const version = await set(1);
  const early = asleep('beforeLink', () => register.compareAndSet(version, bytes('sleeper')));
  await early.fallsAsleep;
  const newest = await set(30, version);
  const late = asleep('afterLink', () => Promise.resolve());
  early.wake();
  await late.fallsAsleep;
  expect(await readdir(register.folder)).toContain('2'.padStart(16, '0'));

  // As if the reader's list of names had missed all that were newer: it must not take the sleeper's.
  const blind = new FileRegister(register.folder, 'r');
  const names = (await readdir(register.folder)).filter((name) => /^\d+$/u.test(name) && Number(name) > 2);
  const saved = new Map<string, Buffer>();
  for (const name of names) {
    saved.set(name, await readFile(path.join(register.folder, name)));
    await rm(path.join(register.folder, name));
  }
  await expect(blind.read()).rejects.toThrow('generation 2 does not follow the one before it');
  for (const [name, content] of saved) await writeFile(path.join(register.folder, name), content);

  late.wake();
  await expect(early.result).rejects.toThrow(PreconditionFailed);
  expect((await register.read())?.version).toBe(newest);
});

test("a writer whose generation is another's, and collected as it looks whose it is, is refused", async () => {
  const version = await set(1);
  const writer = asleep('beforeLink', () => register.compareAndSet(version, bytes('sleeper')));
  await writer.fallsAsleep;
  const refused = asleep('afterRefusedLink', () => Promise.resolve());
  const second = await set(1, version);
  writer.wake();
  await refused.fallsAsleep;
  const newest = await set(30, second);
  expect(await readdir(register.folder)).not.toContain('2'.padStart(16, '0'));
  refused.wake();
  await expect(writer.result).rejects.toThrow(PreconditionFailed);
  expect((await register.read())?.version).toBe(newest);
});

test('a writer that slept until its file was taken for abandoned is refused, and may look again', async () => {
  const version = await set(1);
  const writer = asleep('beforeLink', () => register.compareAndSet(version, bytes('sleeper')));
  await writer.fallsAsleep;
  for (const name of await readdir(register.folder)) {
    if (name.startsWith('pending')) await rm(path.join(register.folder, name));
  }
  writer.wake();
  await expect(writer.result).rejects.toThrow(PreconditionFailed);
  await set(1, version);
});

test('what a killed writer left does not stop the register, and is collected when it is old', async () => {
  const version = await set(3);
  const killed = asleep('afterLink', () => register.compareAndSet(version, bytes('killed')));
  await killed.fallsAsleep;
  await set(40, (await register.read())?.version ?? null);
  expect((await readdir(register.folder)).length).toBeGreaterThan(40);

  const [pending = ''] = (await readdir(register.folder)).filter((name) => name.startsWith('pending'));
  await utimes(path.join(register.folder, pending), 0, 0);
  await set(16, (await register.read())?.version ?? null);

  expect((await readdir(register.folder)).length).toBeLessThanOrEqual(MOST_FILES);
  killed.wake();
  await killed.result.catch(() => undefined);
});

test('a damaged generation is reported, not passed over', async () => {
  await set(3);
  const file = path.join(register.folder, '3'.padStart(16, '0'));
  const content = await readFile(file);
  content[content.length - 1] = (content[content.length - 1] ?? 0) ^ 1;
  await writeFile(file, content);
  await expect(register.read()).rejects.toThrow(`register file ${file} is damaged`);
  await writeFile(file, '');
  await expect(register.read()).rejects.toThrow(`register file ${file} is damaged`);
});

test('a register of an earlier build, whose preamble was shorter, is gone on from', async () => {
  const id = 'a4b1c5b0-0000-4000-8000-000000000000';
  const preamble = JSON.stringify({ id, predecessor: null, sha256: sha256Of(bytes('old')) });
  await mkdir(register.folder);
  await writeFile(path.join(register.folder, '1'.padStart(16, '0')), `${preamble}\nold`);
  const found = await register.read();
  expect(found).toEqual({ bytes: bytes('old'), version: `1-${id}` });
  const version = await register.compareAndSet(found?.version ?? null, bytes('new'));
  expect(await register.read()).toEqual({ bytes: bytes('new'), version });
});

/** Sets the register `count` times from `version` on. */
async function set(count: number, version: string | null = null): Promise<string | null> {
  let current = version;
  for (let index = 0; index < count; index += 1)
    current = await register.compareAndSet(current, bytes(`value ${index}`));
  return current;
}

/** Starts `work`, which falls asleep at its first link until it is woken. */
function asleep<T>(where: keyof typeof sleep, work: () => Promise<T>) {
  const events = new EventEmitter();
  const fallsAsleep = once(events, 'asleep');
  sleep[where] = async () => {
    sleep[where] = async () => undefined;
    const woken = once(events, 'wake');
    events.emit('asleep');
    await woken;
  };
  const result = work();
  result.catch(() => undefined);
  return { fallsAsleep, wake: () => events.emit('wake'), result };
}

function bytes(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value));
}
