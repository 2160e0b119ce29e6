import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { StateMismatch } from '@longrun/serialization';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import type { MainLoop } from '../main-loop/main-loop.js';
import { Outputs } from '../outputs/outputs.js';
import { newestWholeSnapshot, saveSnapshot } from './snapshot-folder.js';
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
    const before = (await mainLoop.arrays()).parameters.get('/mlp/linear_0.W');
    await Promise.all([writing, mainLoop.run()]);
    const copy = tinyExperiment({ epochs: 1 });

    expect(await restoreSnapshot(copy, folder)).toMatchObject({ step: 0 });
    expect((await copy.arrays()).parameters.get('/mlp/linear_0.W')?.data).toEqual(before?.data);
    expect(copy.status.trainingStarted).toBe(false);
  });

  test.each(['in a folder', 'where none can be made'])('holds no values once it is written %s', async (place) => {
    const mainLoop = tinyExperiment();
    const state = mainLoop.state();
    const arrays = await mainLoop.arrays();
    await writeFile(at('file'), '');
    const writing = writeSnapshot(mainLoop, at(place === 'in a folder' ? 'folder' : 'file/folder'));
    const written = await writing.then(
      () => 'in a folder',
      () => 'where none can be made',
    );
    expect(written).toBe(place);

    const present = mainLoop.pinnedArrays();
    await present.release();
    mainLoop.restore({ state, ...arrays });
    for (const value of [...present.parameters.values(), ...present.algorithm.values()])
      expect(() => value.retain()).toThrow('after its last handle was released');
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

describe('the outputs in a snapshot', () => {
  const written = async (): Promise<MainLoop> => {
    const outputs = await Outputs.open(at('outputs'));
    outputs.output('table.csv').append('a,b\n');
    outputs.output('empty').write('');
    outputs.output('unused');
    return tinyExperiment({ outputs });
  };

  test('are further files, as they are at the step, whatever is written meanwhile', async () => {
    const mainLoop = await written();
    const table = mainLoop.outputs?.output('table.csv');
    const writing = writeSnapshot(mainLoop, at('snapshot'));
    table?.append('1,2\n');
    table?.write('all else');
    table?.append('!');
    mainLoop.outputs?.output('later').write('later');
    const { files } = await writing;

    expect(files.map(({ name }) => name).toSorted()).toEqual([
      'algorithm.safetensors',
      'output.empty',
      'output.table.csv',
      'parameters.safetensors',
      'state.json',
    ]);
    expect(await readFile(at('snapshot/output.table.csv'), 'utf8')).toBe('a,b\n');
    expect(files.find(({ name }) => name === 'output.table.csv')).toMatchObject({
      sizeBytes: 4,
      sha256: createHash('sha256').update('a,b\n').digest('hex'),
    });
    expect(table?.readText()).toBe('all else!');
  });

  test('are put back, and those that there were not are removed', async () => {
    await writeSnapshot(await written(), at('snapshot'));
    const mainLoop = await written();
    const [table, later] = ['table.csv', 'later'].map((name) => mainLoop.outputs?.output(name));
    table?.append('too much');
    later?.write('too late');
    mainLoop.outputs?.output('empty').remove();
    await restoreSnapshot(mainLoop, at('snapshot'));

    expect(mainLoop.outputs?.names).toEqual(['empty', 'table.csv']);
    expect([table?.readText(), later?.exists]).toEqual(['a,b\n', false]);
    expect((await readdir(at('outputs'))).toSorted()).toEqual(['.longrun-outputs', 'empty', 'table.csv']);
    table?.append('1,2\n');
    expect(await readFile(at('outputs/table.csv'), 'utf8')).toBe('a,b\n1,2\n');
    expect(await readFile(at('snapshot/output.table.csv'), 'utf8')).toBe('a,b\n');
  });

  test('that are damaged or have nowhere to go are refused, and nothing is changed', async () => {
    await writeSnapshot(await written(), at('snapshot'));
    await expect(restoreSnapshot(tinyExperiment(), at('snapshot'))).rejects.toThrow(
      /has outputs \(empty, table.csv\) but the main loop was given none/,
    );
    await writeFile(at('snapshot/output.table.csv'), 'a,c\n');
    const mainLoop = await written();
    mainLoop.outputs?.output('later').write('later');
    await expect(restoreSnapshot(mainLoop, at('snapshot'))).rejects.toThrow(
      /output.table.csv has SHA-256 [0-9a-f]+ but [0-9a-f]+ was written; use an older snapshot/,
    );
    expect(mainLoop.outputs?.names).toEqual(['empty', 'later', 'table.csv']);
    expect(mainLoop.status.iterationsDone).toBe(0);
  });

  test('of a build that had none stay as the program has begun them', async () => {
    const mainLoop = await written();
    const before = fileURLToPath(new URL('../../test/fixtures/snapshot-version-1/plain', import.meta.url));

    expect(await restoreSnapshot(mainLoop, before)).toMatchObject({ step: 8 });
    expect(mainLoop.outputs?.output('table.csv').readText()).toBe('a,b\n');
  });
});

test('the newest snapshot that is whole is found behind those that are damaged, and each of these is said', async () => {
  const mainLoop = tinyExperiment({ outputs: await Outputs.open(at('outputs')) });
  mainLoop.outputs?.output('table.csv').write('a,b\n');
  expect(await newestWholeSnapshot(at('none'))).toEqual({ whole: undefined, damaged: [] });
  const { folder: saved } = await saveSnapshot(mainLoop, folder);
  expect(await newestWholeSnapshot(folder)).toEqual({ whole: saved, damaged: [] });
  for (const [step, spoil, reason] of [
    [1, (copy: string) => rm(path.join(copy, 'algorithm.safetensors')), 'algorithm.safetensors is missing'],
    [
      2,
      (copy: string) => appendFile(path.join(copy, 'output.table.csv'), '1'),
      'output.table.csv is not as it was written',
    ],
    [3, (copy: string) => writeFile(path.join(copy, 'SHA256SUMS'), ''), 'SHA256SUMS does not have state.json'],
    [4, (copy: string) => rm(path.join(copy, 'SHA256SUMS')), 'SHA256SUMS is missing'],
  ] as const) {
    const copy = at(`step-00000000000${step}`);
    await cp(saved, copy, { recursive: true });
    await spoil(copy);
    const { whole, damaged } = await newestWholeSnapshot(folder);
    expect(whole).toBe(saved);
    expect(damaged[0]).toEqual({ folder: copy, reason });
    expect(damaged).toHaveLength(step);
  }
});

describe('a snapshot that is damaged is refused:', () => {
  test('a state that is not JSON', async () => {
    await damage('state.json', (text) => text.slice(0, 100));
    await expect(restoreSnapshot(tinyExperiment(), folder)).rejects.toThrow(
      /state.json is not JSON; use an older snapshot/,
    );
  });

  test('a state of a newer version', async () => {
    await damage('state.json', (text) => text.replace('"version": 3', '"version": 7'));
    await expect(restoreSnapshot(tinyExperiment(), folder)).rejects.toThrow(
      /state\.json: saved state has version 7, this build reads 1\.\.3; it was written by a newer build/,
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
