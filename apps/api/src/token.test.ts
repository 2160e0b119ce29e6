import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TokenFileError, tokenOf, tokenPath } from './token.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-token-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('tokenOf', () => {
  test('makes a token that only its owner can read, and keeps it', async () => {
    const state = join(folder, 'new', 'state');
    const token = await tokenOf(state);

    expect(token).toMatch(/^[\w-]{43}$/);
    expect((await stat(tokenPath(state))).mode & 0o777).toBe(0o600);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect(await tokenOf(state)).toBe(token);
    expect(await readdir(state)).toEqual(['token']);
  });

  test('starts that race end with one token', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf(folder)));
    expect(new Set(tokens).size).toBe(1);
    expect(await readdir(folder)).toEqual(['token']);
  });

  test.each([0o644, 0o640, 0o660, 0o604, 0o602])(
    'refuses a file of mode %o, and its command mends it',
    async (mode) => {
      const token = await tokenOf(folder);
      await chmod(tokenPath(folder), mode);

      const error: unknown = await tokenOf(folder).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TokenFileError);
      const command = /Run: (chmod 600 .+?) \(/.exec(String(error))?.[1];
      expect(command).toContain(tokenPath(folder));

      execFileSync('sh', ['-c', command ?? 'false']);
      expect(await tokenOf(folder)).toBe(token);
    },
  );

  test.each(['', 'short', 'a token with blanks in it'])(
    'refuses a file that holds %j, and its command mends it',
    async (content) => {
      await writeFile(tokenPath(folder), content, { mode: 0o600 });
      const error: unknown = await tokenOf(folder).catch((thrown: unknown) => thrown);
      expect(await readFile(tokenPath(folder), 'utf8')).toBe(content);
      const command = /Run: (rm .+?) \(/.exec(String(error))?.[1];
      execFileSync('sh', ['-c', command ?? 'false']);
      expect(await tokenOf(folder)).toMatch(/^[\w-]{43}$/);
    },
  );
});
