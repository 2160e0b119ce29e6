import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { withWriterLock, WriterLockHeld } from './writer-lock.js';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'writer-lock-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function claimed(name: string, claim: string): string {
  const file = join(folder, name);
  mkdirSync(`${file}.writer`);
  writeFileSync(join(`${file}.writer`, claim), '');
  return file;
}

test('one at a time, and the lock is given back, also where the action throws', () => {
  const file = join(folder, 'file');
  const held = (): unknown => withWriterLock(file, () => withWriterLock(file, () => 'both', { timeoutMs: 20 }));

  expect(held).toThrow(WriterLockHeld);
  expect(held).toThrow(
    `${file} is being written by process ${process.pid}; stop that process, or delete ${file}.writer/`,
  );
  expect(withWriterLock(file, () => 'one')).toBe('one');
  expect(readdirSync(`${file}.writer`)).toEqual([]);
  expect(readdirSync(folder)).toEqual(['file.writer']);
});

test.each([
  ['is gone', `${hostname()}~999999999~1~a`],
  ['had the number of one that lives', `${hostname()}~${process.pid}~1~a`],
])('the claim of a process that %s holds nothing', (name, claim) => {
  const file = claimed(name, claim);

  expect(withWriterLock(file, () => existsSync(join(`${file}.writer`, claim)), { timeoutMs: 20 })).toBe(false);
});

test('the claim of a process of another host holds, as nobody can tell whether it lives', () => {
  const file = claimed('shared', 'elsewhere~1~1~a');

  expect(() => withWriterLock(file, () => 'mine', { timeoutMs: 20 })).toThrow(
    'process 1 of elsewhere, which cannot be asked from here; stop that process',
  );
});
