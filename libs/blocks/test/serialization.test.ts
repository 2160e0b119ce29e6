import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { ndarray, StateMismatch, type VersionedState } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import {
  addToSnapshot,
  Checkpoint,
  continueTraining,
  Load,
  loadFromSnapshot,
  loadParameters,
  newestSnapshot,
  newestWholeSnapshot,
  TrainingExtension,
  type MainLoop,
} from '../src/index.js';
import { readSnapshotState } from '../src/snapshot/snapshot.js';
import { StopAt } from './stop-at.js';
import { tinyExperiment } from './tiny-experiment.js';

let folder = '';
/** That of an undisturbed run. */
let finished: MainLoop;
/** Those of a run that was stopped at step 9, in the midst of the second of three epochs of six batches; the last is of step 8. */
let snapshots = '';
let snapshot = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-serialization-'));
  finished = tinyExperiment();
  await finished.run();
  snapshots = path.join(folder, 'snapshots');
  await checkpointed(snapshots).run();
  snapshot = (await newestSnapshot(snapshots)) ?? '';
});
afterAll(() => rm(folder, { recursive: true }));

function checkpointed(into: string, ...extensions: readonly TrainingExtension[]): MainLoop {
  const checkpoint = new Checkpoint({
    folder: into,
    everyNBatches: 4,
    afterTraining: false,
    logRecord: null,
    saveSeparately: { progress: ({ status }) => ({ value: { step: status.iterationsDone } }) },
  });
  return tinyExperiment({ extensions: [checkpoint, new StopAt(9), ...extensions] });
}

test('1.16-04: parameters are read alone, of a snapshot and of the original', async () => {
  const ours = await loadParameters(path.join(snapshot, 'parameters.safetensors'));
  const goldens = new URL('../../serialization/test/goldens/', import.meta.url);
  const originals = await loadParameters(fileURLToPath(new URL('blocks-checkpoint.tar', goldens)));

  expect([...ours.keys()]).toEqual(['/mlp/linear_0.W', '/mlp/linear_0.b', '/mlp/linear_1.W', '/mlp/linear_1.b']);
  expect(ours.get('/mlp/linear_0.W')?.shape).toEqual([3, 5]);
  expect([...originals.keys()]).toContain('/mlp/linear_0.W');
  await expect(loadParameters(path.join(snapshot, 'state.json'))).rejects.toThrow(
    'this is no safetensors, .npz or tar file',
  );
});

test('1.16-05: a snapshot has what was saved separately and what was added, and stays whole', async () => {
  const arrays = new Map([['counts', ndarray('int64', [2], BigInt64Array.of(3n, 4n))]]);
  await addToSnapshot(snapshot, 'vocabulary', { value: { words: ['a', 'b'] }, arrays });

  expect(await loadFromSnapshot(snapshot, 'vocabulary')).toEqual({ value: { words: ['a', 'b'] }, arrays });
  expect(await loadFromSnapshot(snapshot, 'progress')).toEqual({ value: { step: 8 }, arrays: new Map() });
  expect(await newestWholeSnapshot(snapshots)).toEqual({ whole: snapshot, damaged: [] });
  await expect(addToSnapshot(snapshot, 'vocabulary', {})).rejects.toThrow('has a member vocabulary already');
  await expect(addToSnapshot(snapshot, '../state', {})).rejects.toThrow('"../state" is no name of a member');
  await expect(addToSnapshot(folder, 'lost', {})).rejects.toThrow(`${folder} is no snapshot`);
  await expect(loadFromSnapshot(snapshot, 'words')).rejects.toThrow('has no member words; it has progress, vocabulary');
});

test('what is saved is as it was at its step, though it changes while it is written', async () => {
  const seen: number[] = [];
  const counts = ndarray('int64', [1]);
  class Seen extends TrainingExtension {
    override afterBatch(): void {
      seen.push(this.mainLoop.status.iterationsDone);
      counts.data[0] = BigInt(seen.length);
    }
    override state(): VersionedState {
      return { version: 1, seen };
    }
  }
  const into = path.join(folder, 'changing');
  const saveSeparately = { seen: () => ({ value: seen, arrays: new Map([['counts', counts]]) }) };
  const checkpoint = new Checkpoint({ folder: into, everyNBatches: 4, afterTraining: false, saveSeparately });
  await tinyExperiment({ epochs: 1, extensions: [new Seen(), checkpoint] }).run();
  const early = path.join(into, 'step-000000000004');
  const { value, arrays } = await loadFromSnapshot(early, 'seen');

  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  expect(value).toEqual([1, 2, 3, 4]);
  expect([...(arrays.get('counts')?.data ?? [])]).toEqual([4n]);
  expect((await readSnapshotState(early))['extensions']).toMatchObject({ Seen: { seen: [1, 2, 3, 4] } });
});

test('1.16-06: training goes on from the newest whole snapshot of a folder, and ends as if it had not been stopped', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const damaged = path.join(folder, 'damaged');
  await checkpointed(damaged).run();
  await appendFile(path.join((await newestSnapshot(damaged)) ?? '', 'state.json'), ' ');
  try {
    const mainLoop = tinyExperiment();
    expect(await continueTraining(mainLoop, damaged)).toBe('finished');
    expect(await mainLoop.arrays()).toEqual(await finished.arrays());
    expect(mainLoop.log.currentRow).toEqual(finished.log.currentRow);
    expect(warn.mock.calls.map(([warning]) => String(warning))).toMatchObject([
      expect.stringMatching(
        /goes on from .*step-000000000004, as newer ones are damaged: .*state\.json is not as it was written/,
      ),
    ]);
  } finally {
    warn.mockRestore();
  }
  await expect(continueTraining(tinyExperiment(), path.join(folder, 'none'))).rejects.toThrow(StateMismatch);
});

test('1.15: Load starts with the place in the data and the log of a snapshot, where it is told to', async () => {
  const parameters = path.join(snapshot, 'parameters.safetensors');
  const load = new Load({ path: parameters, loadIterationState: true, loadLog: true });
  const mainLoop = tinyExperiment({ extensions: [load] });
  mainLoop.requestStop();
  await mainLoop.run();

  expect(mainLoop.status).toMatchObject({
    iterationsDone: 8,
    epochsDone: 1,
    epochEnds: [6],
    epochStarted: true,
    resumedAt: 8,
  });
  expect(mainLoop.log.lastEpochRow['test_cost']).toBe(finished.log.row(6)['test_cost']);
  expect(mainLoop.log.currentRow['loaded_from']).toBe(parameters);
  expect(await mainLoop.run()).toBe('finished');
  // The batches of the epoch that were left, and the third epoch.
  expect(mainLoop.status).toMatchObject({ iterationsDone: 18, epochEnds: [6, 12, 18] });

  const fromTheStart = tinyExperiment({ extensions: [new Load({ path: parameters })] });
  fromTheStart.requestStop();
  await fromTheStart.run();
  expect(fromTheStart.status).toMatchObject({ iterationsDone: 0, epochsDone: 0, resumedFrom: null });
});
