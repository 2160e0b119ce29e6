import { ragged, type Batch, type Column } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { add, lvector, matrix, shared, sum, tensor } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { float32, int64 } from '../../test/tiny-experiment.js';
import { collectWarnings } from '../../test/warnings.js';
import { Linear } from '../bricks/linear.js';
import { MLP } from '../bricks/mlp.js';
import { Constant } from '../initialization/constant.js';
import { compileBatchFunction } from './batch-function.js';

const warned = collectWarnings();
const ENGINE = 'reference';

function batch(columns: Readonly<Record<string, Column>>): Batch {
  return { columns: new Map(Object.entries(columns)) };
}

describe('sources are matched with inputs by name', () => {
  const sumOf = sum(add(matrix('features'), 0));
  const features = float32([1, 2], [1, 2]);

  test('whatever their order', async () => {
    const difference = add(sum(matrix('first')), sum(matrix('second')));
    const compiled = await compileBatchFunction({ name: 'test', engine: ENGINE, outputs: [difference] });
    const [value] = await compiled.run(batch({ second: features, first: float32([1, 1], [10]) }));

    expect(value?.data[0]).toBe(13);
  });

  test('and a missing one is named, with those there are', async () => {
    const compiled = await compileBatchFunction({ name: 'GradientDescent', engine: ENGINE, outputs: [sumOf] });

    await expect(compiled.run(batch({ pixels: features }))).rejects.toThrow(
      'GradientDescent: the graph has an input named features but the batch has no such source; its sources are pixels. ' +
        'Give the input the name of a source, or rename the sources of the stream',
    );
  });

  test('and an unused one is an error unless it is to be ignored', async () => {
    const both = batch({ features, targets: int64([1]) });
    const strict = await compileBatchFunction({ name: 'GradientDescent', engine: ENGINE, outputs: [sumOf] });
    const lax = await compileBatchFunction({
      name: 'GradientDescent',
      engine: ENGINE,
      outputs: [sumOf],
      onUnusedSources: 'ignore',
    });

    await expect(strict.run(both)).rejects.toThrow(
      "GradientDescent: the batch has sources that the graph does not use: targets; its inputs are features. Leave them out with the option sources of the dataset, or set onUnusedSources to 'ignore'",
    );
    expect((await lax.run(both))[0]?.data[0]).toBe(3);
    expect(await warned()).toEqual([]);
  });

  test('and can be warned about, once', async () => {
    const compiled = await compileBatchFunction({
      name: 'test',
      engine: ENGINE,
      outputs: [sumOf],
      onUnusedSources: 'warn',
    });
    await compiled.run(batch({ features, targets: int64([1]) }));
    await compiled.run(batch({ features, targets: int64([1]) }));

    expect(await warned()).toHaveLength(1);
  });
});

describe('arrays are checked against inputs', () => {
  const mlp = new MLP([null], { dims: [3, 2], weightsInit: new Constant(1), biasesInit: new Constant(0) });
  mlp.initialize(new RandomStreams(1));
  const outputs = [mlp.apply(matrix('features')), sum(lvector('targets'))];
  const targets = int64([0, 1]);

  test('a ragged source is refused by its name, with the remedy', async () => {
    const compiled = await compileBatchFunction({ name: 'test', engine: ENGINE, outputs });
    const features = ragged(ndarray('float32', [5]), ndarray('uint32', [2, 1], Uint32Array.of(2, 3)));

    await expect(compiled.run(batch({ features, targets }))).rejects.toThrow(
      /test: the source features is ragged: its rows differ in shape, as \(2\) and \(3\).*pad them \(Padding\)/,
    );
  });

  test('a wrong size names source, brick and both shapes, and changes nothing', async () => {
    const counter = shared(0, 'counter');
    const compiled = await compileBatchFunction({
      name: 'test',
      engine: ENGINE,
      outputs,
      updates: new Map([[counter, add(counter, 1)]]),
    });

    await expect(compiled.run(batch({ features: ndarray('float32', [2, 4]), targets }))).rejects.toThrow(
      'Source features of the batch has shape (2, 4) but input of /mlp.apply takes (null, 3); ' +
        'change the stream (Flatten, ScaleAndShift, ...) or the dims of the brick',
    );
    expect((await counter.getValue()).data[0]).toBe(0);
    await compiled.run(batch({ features: ndarray('float32', [2, 3]), targets }));
    expect((await counter.getValue()).data[0]).toBe(1);
  });

  test('a wrong number of axes', async () => {
    const compiled = await compileBatchFunction({ name: 'test', engine: ENGINE, outputs });

    await expect(compiled.run(batch({ features: ndarray('float32', [2, 1, 3]), targets }))).rejects.toThrow(
      'Source features of the batch has shape (2, 1, 3) but the input features of the graph, used by /mlp.apply, /mlp/linear_0.apply, takes (null, null)',
    );
  });

  test('a wrong dtype', async () => {
    const compiled = await compileBatchFunction({ name: 'test', engine: ENGINE, outputs });

    await expect(compiled.run(batch({ features: ndarray('uint8', [2, 3]), targets }))).rejects.toThrow(
      'Source features of the batch is uint8 but the input features of the graph, used by /mlp.apply, /mlp/linear_0.apply, is float32; put a Cast around the stream, or declare the input as uint8',
    );
  });

  test('a static size that the input has of its own', async () => {
    const compiled = await compileBatchFunction({
      name: 'test',
      engine: ENGINE,
      outputs: [sum(tensor('features', 'float32', ['batch', 3]))],
    });

    await expect(compiled.run(batch({ features: float32([1, 2], [0, 0]) }))).rejects.toThrow(
      'Source features of the batch has shape (1, 2) but the input features of the graph takes (batch, 3)',
    );
  });
});

test('inputs that only auxiliary variables need are not asked for', async () => {
  const linear = new Linear({ inputDim: 1, outputDim: 1, weightsInit: new Constant(2), biasesInit: new Constant(0) });
  linear.initialize(new RandomStreams(1));
  linear.addAuxiliaryVariable(sum(matrix('elsewhere')), { name: 'aside' });
  const compiled = await compileBatchFunction({
    name: 'test',
    engine: ENGINE,
    outputs: [linear.apply(matrix('features'))],
  });

  expect((await compiled.run(batch({ features: float32([1, 1], [4]) })))[0]?.data[0]).toBe(8);
});

test('the number of examples is the size of the batch axis of the first input', async () => {
  const compiled = await compileBatchFunction({ name: 'test', engine: ENGINE, outputs: [sum(matrix('features'))] });
  const given = batch({ features: ndarray('float32', [2, 3]) });
  const timeMajor = new Map([['features', ['time', 'batch']]]);

  expect(compiled.examplesIn(given, { axisLabels: null, producesExamples: false })).toBe(2);
  expect(compiled.examplesIn(given, { axisLabels: timeMajor, producesExamples: false })).toBe(3);
  expect(compiled.examplesIn(given, { axisLabels: null, producesExamples: true })).toBe(1);
});
