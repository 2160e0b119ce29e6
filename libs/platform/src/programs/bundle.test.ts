import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { bundleProgram } from './bundle.js';
import { BundleRefused } from './bundle-refused.js';
import { librariesOf } from './header.js';
import { layOutProgram } from './lay-out.js';

const LIBRARIES = fileURLToPath(new URL('../../../../node_modules/@longrun', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-bundle-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

async function refusalOf(path: string): Promise<string> {
  const error: unknown = await bundleProgram(join(folder, path)).catch((thrown: unknown) => thrown);
  if (error instanceof BundleRefused) return error.message;
  throw new Error(`It was not refused: ${String(error)}`);
}

test('a program with decorators, dependencies of both kinds and data becomes one module, the same each time', async () => {
  await write({
    'program/index.ts': `
      import { sha256Of } from '@longrun/serialization';
      import { z } from 'zod';
      import { double } from './double.ts';
      import old from 'old';
      import words from './words.json';
      function twice(method: () => number) { return function (this: unknown) { return 2 * method.call(this); }; }
      class Brick { @twice size(): number { return double(3); } }
      export default { name: Brick.name, size: new Brick().size(), old: old.separator, words, sha: typeof sha256Of, z: z.int().parse(4) };`,
    'program/double.ts': 'export const double = (value: number): number => 2 * value;',
    'program/words.json': '["a"]',
    'node_modules/old/index.js': "exports.separator = require('path').sep;",
    // Of no account: what a program means does not depend on where it lies.
    'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
  });
  const { module, sha256 } = await bundleProgram(join(folder, 'program'));
  expect(createHash('sha256').update(module).digest('hex')).toBe(sha256);
  expect((await bundleProgram(join(folder, 'program', 'index.ts'))).sha256).toBe(sha256);
  expect(librariesOf(module)).toEqual({
    '@longrun/serialization': expect.stringMatching(/^\d+\.\d+\.\d+$/) as unknown,
  });

  const laid = await layOutProgram(join(folder, 'laid'), module, LIBRARIES);
  const { default: made } = (await import(/* @vite-ignore */ pathToFileURL(laid).href)) as { default: unknown };
  expect(made).toEqual({ name: 'Brick', size: 12, old: '/', words: ['a'], sha: expect.any(String) as unknown, z: 4 });
});

test.each([
  [
    'its file',
    {
      'node_modules/fast/index.js': "module.exports = require('./build/fast.node');",
      'node_modules/fast/build/fast.node': '',
    },
    'fast',
  ],
  [
    'a loader',
    {
      'node_modules/fast/index.js': "module.exports = require('bindings')('fast');",
      'node_modules/bindings/index.js': 'module.exports = () => 1;',
    },
    'bindings',
  ],
  [
    'how it is built',
    { 'node_modules/@some/fast/index.js': 'module.exports = 1;', 'node_modules/@some/fast/binding.gyp': '{}' },
    '@some/fast',
  ],
])('native code is refused by the name of its package, as %s shows it', async (_how, files, name) => {
  const imported = name === 'bindings' ? 'fast' : name;
  await write({ ...files, 'uses-fast.ts': `import fast from '${imported}'; export default fast;` });
  expect(await refusalOf('uses-fast.ts')).toContain(
    `imports native code (${name}), which cannot be part of a program; use`,
  );
});

test('what cannot be made a module is refused with where and why', async () => {
  await write({
    'broken.ts': 'export default 1;\nconst a: number = ;',
    'unresolved.ts': "import { nothing } from 'nowhere-to-be-found';\nexport default nothing;",
    'large.ts': `export default '${'x'.repeat(17 * 2 ** 20)}';`,
    'empty/readme.md': '',
  });
  expect(await refusalOf('broken.ts')).toMatch(/broken\.ts cannot be bundled: broken\.ts:2:19: Unexpected ";"$/);
  expect(await refusalOf('unresolved.ts')).toMatch(/unresolved\.ts:1:25: Could not resolve "nowhere-to-be-found"/);
  expect(await refusalOf('large.ts')).toMatch(
    /becomes a module of \d+ bytes, and one has 16777216 at most; import less/,
  );
  expect(await refusalOf('empty')).toContain(
    'has none of index.ts, index.mts, index.js, index.mjs; give the file of a program',
  );
  expect(await refusalOf('missing.ts')).toContain('missing.ts is not there; give the file or the folder of a program');
});

test('a module imports @longrun/* of the installation and no other package', async () => {
  const laid = await layOutProgram(join(folder, 'laid'), Buffer.from("import 'kysely';"), LIBRARIES);
  await expect(promisify(execFile)(process.execPath, [laid])).rejects.toThrow("Cannot find package 'kysely'");
});
