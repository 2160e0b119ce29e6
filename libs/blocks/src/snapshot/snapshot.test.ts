import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { StateMismatch } from '@longrun/serialization';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import { restoreSnapshot, SNAPSHOT_FILES, writeSnapshot } from './snapshot.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-snapshot-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string): string => path.join(folder, name);

describe('a snapshot', () => {
  test('is three files, with their hashes and sizes', async () => {
    const mainLoop = tinyExperiment();
    await mainLoop.run();
    const { step, files, environment } = await writeSnapshot(mainLoop, folder);

    expect(step).toBe(18);
    expect(environment).toMatchObject({ engine: 'reference', threads: 1, node: process.versions.node });
    expect(files.map(({ name }) => name).toSorted()).toEqual([
      'algorithm.safetensors',
      'parameters.safetensors',
      'state.json',
    ]);
    for (const file of files) {
      expect(file.path).toBe(at(file.name));
      expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect((await readFile(file.path)).byteLength).toBe(file.sizeBytes);
    }
  });

  test('of equal parameters has equal bytes, and of others has not', async () => {
    const hashes = await Promise.all(
      [1, 1, 2].map(async (seed, run) => {
        const mainLoop = tinyExperiment({ seed });
        await mainLoop.run();
        const { files } = await writeSnapshot(mainLoop, at(String(run)));
        return files.find(({ name }) => name === SNAPSHOT_FILES.parameters)?.sha256;
      }),
    );

    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  test('is of the moment at which it was asked for', async () => {
    const mainLoop = tinyExperiment();
    const writing = writeSnapshot(mainLoop, folder);
    const before = mainLoop.arrays().parameters.get('/mlp/linear_0.W');
    await Promise.all([writing, mainLoop.run()]);
    const copy = tinyExperiment({ epochs: 1 });

    expect(await restoreSnapshot(copy, folder)).toMatchObject({ step: 0 });
    expect(copy.arrays().parameters.get('/mlp/linear_0.W')?.data).toEqual(before?.data);
    expect(copy.status.trainingStarted).toBe(false);
  });

  test('restored elsewhere says in what the numeric environment differs', async () => {
    await writeSnapshot(tinyExperiment(), folder);
    const text = await readFile(at('state.json'), 'utf8');
    const elsewhere = text.replace('"threads": 1', '"threads": 4').replace(/"cpuModel": ".*"/, '"cpuModel": "Z80"');
    await writeFile(at('state.json'), elsewhere);
    const { environmentChanged } = await restoreSnapshot(tinyExperiment(), folder);

    expect(environmentChanged).toHaveLength(2);
    expect(environmentChanged[0]).toBe('threads: 4 -> 1');
    expect(environmentChanged[1]).toMatch(/^cpuModel: Z80 -> /);
  });
});

describe('a snapshot that is damaged is refused:', () => {
  test('a state that is not JSON', async () => {
    await damage('state.json', (text) => text.slice(0, 100));
    await expect(restoreSnapshot(tinyExperiment(), folder)).rejects.toThrow(
      /state.json is not JSON; use an older snapshot/,
    );
  });

  test('a state of a newer version', async () => {
    await damage('state.json', (text) => text.replace('"version": 1', '"version": 7'));
    await expect(restoreSnapshot(tinyExperiment(), folder)).rejects.toThrow(
      /is not a state that this build reads \(versions 1..1\)/,
    );
  });

  test('arrays that were cut off', async () => {
    await damage('parameters.safetensors', (text) => text.slice(0, -8));
    await expect(restoreSnapshot(tinyExperiment(), folder)).rejects.toThrow(StateMismatch);
  });

  test('a missing file', async () => {
    await writeSnapshot(tinyExperiment(), folder);
    await rm(at('algorithm.safetensors'));
    await expect(restoreSnapshot(tinyExperiment(), folder)).rejects.toThrow(/algorithm.safetensors/);
  });

  test('one of another experiment', async () => {
    await writeSnapshot(tinyExperiment(), folder);
    await expect(restoreSnapshot(tinyExperiment({ batchSize: 5 }), folder)).rejects.toThrow(/batch size/);
    await expect(restoreSnapshot(tinyExperiment({ hidden: 6 }), folder)).rejects.toThrow('does not fit the parameters');
  });
});

/** Writes a snapshot and then changes one of its files. */
async function damage(name: string, change: (text: string) => string): Promise<void> {
  await writeSnapshot(tinyExperiment(), folder);
  await writeFile(at(name), change(await readFile(at(name), 'latin1')), 'latin1');
}
