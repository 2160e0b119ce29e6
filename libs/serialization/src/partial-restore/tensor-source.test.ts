import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { openObjectStore } from '../store/open-object-store.js';
import { ndarray } from '../ndarray.js';
import { readBlocksParameters } from '../blocks-checkpoint/blocks-parameters.js';
import { readNpz } from '../numpy/npz-file.js';
import { readSafetensors } from '../safetensors/safetensors.js';
import { TensorAbsent } from '../safetensors/safetensors-file.js';
import { openTensors, tensorsInMemory, UnknownTensorFile } from './tensor-source.js';

const golden = (name: string): string => path.join(import.meta.dirname, '../../test/goldens', name);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-tensor-source-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['every-dtype.safetensors', async (file: string) => (await readSafetensors(file)).tensors],
  ['every-dtype.npz', (file: string) => readNpz(file)],
  ['compressed.npz', (file: string) => readNpz(file)],
  ['blocks-checkpoint.tar', (file: string) => readBlocksParameters(file)],
  ['blocks-checkpoint-pax.tar', (file: string) => readBlocksParameters(file)],
])('%s is known by its bytes, whatever its name and place', async (name, readAll) => {
  const unnamed = path.join(folder, 'unnamed');
  await writeFile(unnamed, await readFile(golden(name)));
  const store = await openObjectStore(`file:${path.join(folder, `store-${name}`)}`);
  await store.put('some/key', { path: unnamed });
  const all = await readAll(golden(name));

  for (const source of [unnamed, { store, key: 'some/key' }, await readFile(unnamed)]) {
    const file = await openTensors(source);
    expect(new Set(file.tensors.keys())).toEqual(new Set(all.keys()));
    for (const tensor of all.keys()) expect(await file.read(tensor)).toEqual(all.get(tensor));
    await file.close();
  }
});

test('an .npz file without arrays has no tensors', async () => {
  const file = await openTensors(Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]));

  expect(file.tensors.size).toBe(0);
  await file.close();
});

test.each([
  ['nothing', ''],
  ['a text', 'hello'.repeat(200)],
  ['a pickle', '\x80\x04}.'],
])('%s is refused with what to write', async (_, text) => {
  await writeFile(path.join(folder, 'other'), text, 'latin1');
  const opening = openTensors(path.join(folder, 'other'));

  await expect(opening).rejects.toThrow(UnknownTensorFile);
  await expect(opening).rejects.toThrow(/other: this is no safetensors, \.npz or tar file; write .* numpy\.savez/);
});

test('what is in memory is read by name and by rows', async () => {
  const source = tensorsInMemory(new Map([['w', ndarray('int8', [3, 1], Int8Array.of(1, 2, 3))]]), 'memory');
  const blocks = [];
  for await (const { data } of source.blocks('w', { start: 1, rows: 1 })) blocks.push([...data]);

  expect(source.tensors.get('w')).toEqual({ dtype: 'int8', shape: [3, 1] });
  expect(blocks).toEqual([[2], [3]]);
  await expect(source.read('v')).rejects.toThrow(TensorAbsent);
  await expect(source.read('v')).rejects.toThrow('memory: there is no tensor "v"; the file has "w"');
});
