import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { codeAround, ownCode } from './own-code.js';

async function library(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'own-code-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const within of ['engine', 'ops', 'bundle']) await mkdir(path.join(folder, within));
  for (const file of ['index.js', 'engine/own-code.js', 'ops/add.js', 'bundle/index.js', 'bundle/engine-1.js']) {
    await writeFile(path.join(folder, file), `// ${file}`);
  }
  return folder;
}

test('the code of a library is all of its files, by their names and bytes', async () => {
  const folder = await library();
  const found = (): Promise<string> => codeAround(path.join(folder, 'engine/own-code.js'));
  const first = await found();
  await writeFile(path.join(folder, 'ops/add.js.map'), '{}');
  expect(await found()).toBe(first);
  const others = [];
  await writeFile(path.join(folder, 'ops/add.js'), '// another');
  others.push(await found());
  await writeFile(path.join(folder, 'ops/sub.js'), '');
  others.push(await found());
  await rename(path.join(folder, 'ops/sub.js'), path.join(folder, 'ops/mul.js'));
  others.push(await found());
  expect(new Set([first, ...others]).size).toBe(4);
});

test('the code of a bundle is what is beside it', async () => {
  const folder = await library();
  const found = (): Promise<string> => codeAround(path.join(folder, 'bundle/index.js'));
  const first = await found();
  await writeFile(path.join(folder, 'ops/add.js'), '// another');
  expect(await found()).toBe(first);
  await writeFile(path.join(folder, 'bundle/engine-1.js'), '// another');
  expect(await found()).not.toBe(first);
});

test('this process knows its own code', async () => {
  expect(await ownCode()).toBe(await codeAround(path.join(import.meta.dirname, 'own-code.ts')));
});
