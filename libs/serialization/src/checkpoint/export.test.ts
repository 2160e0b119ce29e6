import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from 'vitest';

import { CheckpointFolder, contentsAt, keyOf } from '../../test/checkpoint-folder.js';
import { exportFile, exportFiles, ExportRefused } from './export.js';
import { CorruptBlob } from './stored-files.js';

test('the files of a checkpoint are in the folder, and nothing else', async () => {
  const there = await CheckpointFolder.make();
  const manifest = await there.commit(100);
  const target = path.join(there.folder, 'deep', 'exported');
  await exportFiles(there.store, manifest, target);
  for (const [name, content] of Object.entries(contentsAt(100)))
    expect(await readFile(path.join(target, name))).toEqual(Buffer.from(content));
  expect(await readdir(target)).toHaveLength(2);
  expect(await readdir(path.dirname(target))).toEqual(['exported']);
});

test('an empty folder is taken, one with a file and a file are refused and left alone', async () => {
  const there = await CheckpointFolder.make();
  const manifest = await there.commit(100);
  const target = path.join(there.folder, 'exported');
  await mkdir(target);
  await exportFiles(there.store, manifest, target);
  await writeFile(path.join(target, 'state.json'), 'mine');
  await expect(exportFiles(there.store, manifest, target)).rejects.toThrow(ExportRefused);
  expect(await readFile(path.join(target, 'state.json'), 'utf8')).toBe('mine');
  await expect(exportFiles(there.store, manifest, path.join(target, 'state.json'))).rejects.toThrow(ExportRefused);
});

test('of a damaged checkpoint nothing is left, and none of the folders beside it is touched', async () => {
  const there = await CheckpointFolder.make();
  const manifest = await there.commit(100);
  await there.flipBit(keyOf(manifest, 'state.json'));
  const parent = path.join(there.folder, 'exports');
  await expect(exportFiles(there.store, manifest, path.join(parent, 'all'))).rejects.toThrow(CorruptBlob);
  const target = path.join(parent, 'state.json');
  await expect(exportFile(there.store, manifest, 'state.json', target)).rejects.toThrow(CorruptBlob);
  expect(await readdir(parent)).toEqual([]);
});

test('one file is copied to a path where nothing is, from the copy that is whole', async () => {
  const there = await CheckpointFolder.make({ keepLast: 1 });
  const manifest = await there.commit(100);
  await there.flipBit(keyOf(manifest, 'parameters.safetensors'));
  const target = path.join(there.folder, 'model.safetensors');
  await exportFile(there.store, manifest, 'parameters.safetensors', target);
  const wanted = contentsAt(100)['parameters.safetensors'] ?? '';
  expect(await readFile(target)).toEqual(Buffer.from(wanted));
  await expect(exportFile(there.store, manifest, 'parameters.safetensors', target)).rejects.toThrow(
    'model.safetensors is there already',
  );
  await expect(exportFile(there.store, manifest, 'absent', `${target}-2`)).rejects.toThrow(
    'absent is no file of this checkpoint, which has parameters.safetensors, state.json',
  );
});
