import { ndarray, type NdArray, RandomStreams, StateMismatch } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { float32, sequential, tinyDataset, tinyExperiment, tinyModel } from '../../test/tiny-experiment.js';
import { Witness } from '../../test/witness.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { Adam } from '../algorithms/step-rules/adam.js';
import { FinishAfter } from '../extensions/finish-after.js';
import { DataStreamMonitoring } from '../extensions/monitoring.js';
import type { LogRow } from '../log/log-value.js';
import { elementsOf } from '../snapshot/named-arrays.js';
import type { MainLoopArrays } from './main-loop-contents.js';
import { MainLoop } from './main-loop.js';

describe('a state', () => {
  test('to finish is kept: training that was to finish does not go on', async () => {
    let saved: Parameters<MainLoop['restore']>[0] | undefined;
    const saver = new Witness((callback, mainLoop) => {
      if (callback !== 'afterBatch' || mainLoop.status.iterationsDone !== 3) return;
      mainLoop.atStepBoundary(async () => {
        saved = { state: JSON.parse(JSON.stringify(mainLoop.state())), ...(await mainLoop.arrays()) };
      });
    });
    await tinyExperiment({ extensions: [saver, new FinishAfter({ afterNBatches: 3 })] }).run();
    if (saved === undefined) throw new Error('nothing was saved');
    const successor = tinyExperiment({ extensions: [new FinishAfter({ afterNBatches: 3 })] });
    successor.restore(saved);

    expect(successor.status.trainingFinished).toBe(false);
    expect(await successor.run()).toBe('finished');
    expect(successor.status.iterationsDone).toBe(3);
  });

  test('of training that has finished is gone on from by another run as if there had been no end', async () => {
    const rowsOf = new Map<number, LogRow[]>();
    const trained = async (epochs: number, before?: Parameters<MainLoop['restore']>[0]) => {
      const closer = new Witness((callback, { log }) => {
        if (callback === 'afterTraining') log.currentRow['closed'] = true;
      });
      const mainLoop = tinyExperiment({ epochs, extensions: [closer] });
      const rows: LogRow[] = [];
      mainLoop.log.onRow((_time, row) => rows.push({ ...row }));
      rowsOf.set(epochs, rows);
      if (before !== undefined) mainLoop.restore(before, { fork: { otherDatasets: false } });
      await mainLoop.run();
      return { state: JSON.parse(JSON.stringify(mainLoop.state())), ...(await mainLoop.arrays()) };
    };
    const whole = await trained(4);
    const wholeRows = rowsOf.get(4);
    const first = await trained(2);
    const gone = await trained(4, first);

    expect(gone.parameters).toEqual(whole.parameters);
    expect(gone.algorithm).toEqual(whole.algorithm);
    expect([...(rowsOf.get(2) ?? []).slice(0, -1), ...(rowsOf.get(4) ?? [])]).toEqual(wholeRows);
    // An end that is behind it is its end: it comes again.
    const again = await trained(1, first);
    expect(again.parameters).toEqual(first.parameters);
    expect(rowsOf.get(1)).toEqual(rowsOf.get(2)?.slice(-1));
  });

  test('of another run leaves hyperparameters that are built anew, and no others', async () => {
    const first = tinyExperiment({ stepRule: new Adam({ learningRate: 0.05, beta1: 0.8 }) });
    // As an extension may.
    first.inventory.algorithm.get('adam.beta1')?.setValue(float64(0.7));
    first.inventory.algorithm.get('adam.learning_rate')?.setValue(float64(0.01));
    const { state, arrays } = await savedBy(first);
    const second = tinyExperiment({ stepRule: new Adam({ learningRate: 0.25, beta1: 0.8 }) });
    const valuesOf = async () =>
      await Promise.all(
        ['adam.learning_rate', 'adam.beta1'].map(async (name) => {
          const value = await second.inventory.algorithm.get(name)?.getValue();
          return value?.data[0];
        }),
      );
    second.restore({ state, ...arrays }, { fork: { otherDatasets: false } });
    expect(await valuesOf()).toEqual([0.25, 0.7]);
    second.restore({ state, ...arrays });
    expect(await valuesOf()).toEqual([0.01, 0.7]);
  });

  test('of another program is refused, saying what differs', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const wider = tinyExperiment({ hidden: 7 });
    const before = (await wider.arrays()).parameters.get('/mlp/linear_1.b');

    expect(() => wider.restore({ state, ...arrays })).toThrow(
      /does not fit the parameters of the model: \/mlp\/linear_0.W is float32 \(3, 5\) in it but float32 \(3, 7\) here/,
    );
    expect((await wider.arrays()).parameters.get('/mlp/linear_1.b')).toEqual(before);
  });

  test('with other arrays is refused, saying which', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const parameters = new Map(arrays.parameters);
    parameters.delete('/mlp/linear_0.W');
    parameters.set('/mlp/linear_9.W', float32([1], [0]));

    expect(() => tinyExperiment().restore({ state, ...arrays, parameters })).toThrow(
      '/mlp/linear_0.W (float32 (3, 5)) is missing from it; /mlp/linear_9.W is in it but not here. ' +
        'Resume with the program, params and step rule that it was saved with, or start anew',
    );
    expect(() => tinyExperiment().restore({ state, ...arrays, algorithm: new Map() })).toThrow(
      'does not fit the variables of the algorithm: adam.time (float64 ()) is missing from it',
    );
  });

  test('with other extensions, another seed or another version is refused', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const extension = new DataStreamMonitoring({
      name: 'More',
      variables: [],
      dataStream: sequential(tinyDataset(4), 2),
    });

    expect(() => tinyExperiment({ extensions: [extension] }).restore({ state, ...arrays })).toThrow(
      'the extensions with a state differ from those that were saved (only now: More; only then: none)',
    );
    expect(() => tinyExperiment({ seed: 2 }).restore({ state, ...arrays })).toThrow(StateMismatch);
    expect(() => tinyExperiment().restore({ state: { ...state, version: 6 }, ...arrays })).toThrow(
      'MainLoop: saved state has version 6, this build reads 1..5',
    );
    expect(() => tinyExperiment().restore({ state: { version: 1 }, ...arrays })).toThrow(
      'MainLoop: the saved state has nothing for log',
    );
  });

  test('with random streams needs a main loop that has them', async () => {
    const { state, arrays } = await savedBy(tinyExperiment());
    const { cost } = tinyModel(new RandomStreams(1));
    const other = new MainLoop({
      algorithm: new GradientDescent({ cost }),
      dataStream: sequential(tinyDataset(22), 4),
    });

    const { algorithm } = await other.arrays();
    expect(() => other.restore({ state, parameters: arrays.parameters, algorithm })).toThrow(StateMismatch);
  });

  test('stays small however long training was', async () => {
    const sizes = await Promise.all(
      [1, 40].map(async (epochs) => JSON.stringify((await savedBy(tinyExperiment({ epochs }))).state).length),
    );

    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) + 400);
  });

  test('is taken at no cost: pinned arrays are references that later steps do not change, until they are released', async () => {
    const mainLoop = tinyExperiment({
      extensions: [new Witness((callback, loop) => callback === 'afterBatch' && loop.requestStop())],
    });
    await mainLoop.run();
    const { parameters, algorithm } = await mainLoop.arrays();
    const [pinned, again] = [mainLoop.pinnedArrays(), mainLoop.pinnedArrays()];
    for (const [name, value] of pinned.parameters) expect(again.parameters.get(name)).toBe(value);
    await again.release();
    await mainLoop.run();

    const taken = await elementsOf(pinned.parameters);
    expect(taken).toEqual(parameters);
    expect(await elementsOf(pinned.algorithm)).toEqual(algorithm);
    expect((await mainLoop.arrays()).parameters).not.toEqual(parameters);
    await pinned.release();
    for (const { data } of taken.values()) expect(data).toHaveLength(0);
    await expect(pinned.release()).rejects.toThrow('PinnedArrays: release() was called twice');
    expect((await mainLoop.arrays()).algorithm.get('adam.time')?.data).toHaveLength(1);
  });
});

/** A float64 scalar. */
function float64(value: number): NdArray<'float64'> {
  return ndarray('float64', [], Float64Array.of(value));
}

async function savedBy(mainLoop: MainLoop): Promise<{ state: ReturnType<MainLoop['state']>; arrays: MainLoopArrays }> {
  await mainLoop.run();
  return { state: mainLoop.state(), arrays: await mainLoop.arrays() };
}
