import { join } from 'node:path';
import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { drain, elements } from '../../test/toy.js';
import { writeH5Dataset } from '../hdf5/h5-writer.js';
import { LabelledSplits } from './labelled-splits.js';

test('examples and classes are counted over all splits', async () => {
  const data = await LabelledSplits.open({ path: await written() });

  expect(data).toMatchObject({ exampleShape: [2, 3], exampleSize: 6, classesCount: 5, targetsDtype: 'uint8' });
});

test('batches come in the order of the file, or shuffled anew in each epoch; pixels from 0 to 1', async () => {
  const data = await LabelledSplits.open({ path: await written() });
  const inOrder = await data.batches('train', { batchSize: 2 });
  const batches = await drain(inOrder);
  expect(elements(batches, 'targets')).toEqual([[0, 1], [2]]);
  expect(elements(batches, 'features')[0]?.[5]).toBe(Math.fround(5 / 255));

  const shuffle = new RandomStreams(1).stream('shuffle');
  const shuffled = await data.batches('train', { batchSize: 3, shuffle });
  const epochs: number[][] = [];
  for (let epoch = 0; epoch < 8; epoch += 1) {
    epochs.push(...elements(await drain(shuffled), 'targets'));
    await shuffled.nextEpoch();
  }
  expect(epochs.map((order) => order.toSorted((a, b) => a - b))).toEqual(Array.from({ length: 8 }, () => [0, 1, 2]));
  expect(new Set(epochs.map(String)).size).toBeGreaterThan(1);
});

test('features that are float32 stay as they are', async () => {
  const data = await LabelledSplits.open({
    path: await written({ features: Float32Array.from({ length: 30 }, (_, at) => at - 0.5) }),
  });
  const [first] = elements(await drain(await data.batches('test', { batchSize: 2 })), 'features');

  expect(first).toEqual(Array.from({ length: 12 }, (_, at) => at + 17.5));
});

test.each([
  [{ features: new Int32Array(30) }, 'digits: the features are int32; give uint8 (0 to 255) or float32'],
  [
    { targets: new Float32Array(5) },
    'digits: the targets are float32 of shape (5, 1); give one class number for each example',
  ],
  [
    { targets: new Uint8Array(10), classes: 2 },
    'digits: the targets are uint8 of shape (5, 2); give one class number for each example',
  ],
  [{ ragged: ['features'] }, 'digits: the rows of features differ in shape; give a dataset where all have one'],
  [
    { called: 'labels' },
    'digits has no source targets, only features, labels; give a dataset with features and targets',
  ],
])('what is not labelled so is refused: %j', async (contents, message) => {
  const opened = LabelledSplits.open({ path: await written(contents), name: 'digits' });

  await expect(opened).rejects.toThrow(message);
});

test('a split that is not there is refused with those that are', async () => {
  const data = await LabelledSplits.open({ path: await written() });

  await expect(data.batches('valid', { batchSize: 2 })).rejects.toThrow(
    'has no split valid, only train, test; give a ',
  );
});

interface Contents {
  readonly features?: Values;
  readonly targets?: Values;
  readonly classes?: number;
  readonly called?: string;
  readonly ragged?: readonly string[];
}

type Values = Uint8Array | Int32Array | Float32Array;

/** Five examples of 2 x 3 of the classes 0 to 4, the first three of them for training. */
async function written(contents: Contents = {}): Promise<string> {
  const path = join(await temporaryFolder(), 'examples.hdf5');
  const { features = Uint8Array.from({ length: 30 }, (_, at) => at), targets = Uint8Array.of(0, 1, 2, 3, 4) } =
    contents;
  const { classes = 1, called = 'targets' } = contents;
  const rows = { train: { start: 0, stop: 3 }, test: { start: 3, stop: 5 } };
  const fill: Parameters<typeof writeH5Dataset>[1] = async (writer) => {
    await writer.append({ features: stored(features, [5, 2, 3]), [called]: stored(targets, [5, classes]) });
    return {
      train: { features: rows.train, [called]: rows.train },
      test: { features: rows.test, [called]: rows.test },
    };
  };
  await writeH5Dataset(path, fill, { ragged: contents.ragged ?? [] });
  return path;
}

function stored(values: Values, shape: readonly number[]): NdArray {
  const dtype = values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'uint8';
  return ndarray(dtype, shape, values);
}
