import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MissingInput } from '@longrun/fuel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InputChanged, RawInputs } from './raw-inputs.js';

const converter = { name: 'toy', version: 3, requiredFiles: () => ['a', 'b'].map((name) => ({ name, urls: [] })) };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-raw-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function read(): Promise<RawInputs> {
  for (const name of ['a', 'b']) await writeFile(join(folder, name), `bytes of ${name}`);
  return await RawInputs.read(converter, { size: 28 }, folder, () => undefined);
}

test('the identity of a dataset is its converter with its params and the files that this reads', async () => {
  const { identity } = await read();
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const inputs = ['a', 'b'].map((name) => ({ name, sizeBytes: 10, sha256: sha256(`bytes of ${name}`) }));
  expect(identity).toEqual({ converter: 'toy', converterVersion: 3, params: { size: 28 }, inputs });
  await rm(join(folder, 'b'));
  await expect(RawInputs.read(converter, {}, folder, () => undefined)).rejects.toThrow(MissingInput);
});

test.each([
  ['written to', async (path: string) => await appendFile(path, '!')],
  [
    'written to and set back in time',
    async (path: string) => {
      await writeFile(path, 'other byte');
      await utimes(path, 1, 1);
    },
  ],
  ['removed', async (path: string) => await rm(path)],
  ['replaced', async (path: string) => await replace(path, 'other byte')],
])('a file that was %s while it was converted is told', async (_, change) => {
  const inputs = await read();
  await change(join(folder, 'b'));
  await expect(inputs.checkUnchanged()).rejects.toThrow(InputChanged);
});

test('a file that was replaced by one with its bytes is the same', async () => {
  const inputs = await read();
  await inputs.checkUnchanged();
  await replace(join(folder, 'b'), 'bytes of b');
  await inputs.checkUnchanged();
});

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
