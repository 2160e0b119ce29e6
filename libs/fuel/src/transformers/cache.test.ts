import {
  assertResumable,
  chain,
  cycle,
  map,
  ndarray,
  range,
  StateMismatch,
  type NdArray,
  type VersionedState,
} from '@longrun/serialization';
import { describe, expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import type { BatchSizeScheme } from '../schemes/iteration-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Batch } from '../streams/delivery.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Batching } from './batching.js';
import { Cache } from './cache.js';
import { Mapping } from './mapping.js';
import { Unpack } from './unpack.js';
import { denseIn, type Column, type Columns } from '../arrays/column.js';

const batches = (examples: number, size: number) =>
  new DatasetStream(toyDataset(examples), new SequentialScheme(examples, size));
const targets = async (stream: DataStream): Promise<number[][]> => elements(await drain(stream), 'targets');

/** Batches of these sizes. */
class Sizes implements BatchSizeScheme {
  readonly batchesPerEpoch = null;
  readonly #sizes: readonly number[];

  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
  }

  batchSize(position: number): number | undefined {
    return this.#sizes[position];
  }

  identity() {
    return { scheme: 'Sizes', sizes: this.#sizes };
  }
}

test('2.5-13: large batches are given as smaller ones, across their bounds; the last has what is left', async () => {
  const stream = new Cache(batches(11, 5), new ConstantScheme(2));
  const all = await drain(stream);

  expect(elements(all, 'targets')).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10]]);
  expect(dense(all[2], 'features')).toEqual(
    ndarray(
      'uint8',
      [2, 2, 3],
      Uint8Array.from({ length: 12 }, (_, i) => 24 + i),
    ),
  );
  expect(await stream.next()).toBeUndefined();
  await stream.nextEpoch();
  expect(await targets(stream)).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10]]);
  expect(stream.producesExamples).toBe(false);
  expect(stream.batchesPerEpoch).toBeNull();
  expect(stream.axisLabels?.get('features')).toEqual(['batch', 'height', 'width']);
});

test('a batch may be larger than those of the stream, and take several of them', async () => {
  expect(await targets(new Cache(batches(10, 2), new ConstantScheme(7)))).toEqual([
    [0, 1, 2, 3, 4, 5, 6],
    [7, 8, 9],
  ]);
  expect(await targets(new Cache(batches(9, 3), new Sizes([1, 7, 1, 5])))).toEqual([[0], [1, 2, 3, 4, 5, 6, 7], [8]]);
});

test('the scheme may end before the examples, and nothing of them comes in the next epoch', async () => {
  const stream = new Cache(batches(7, 5), new ConstantScheme(3, { times: 1 }));

  expect(await targets(stream)).toEqual([[0, 1, 2]]);
  await stream.nextEpoch();
  expect(await targets(stream)).toEqual([[0, 1, 2]]);
});

test('an epoch that is left in the middle of a batch leaves nothing behind', async () => {
  const stream = new Cache(batches(7, 5), new ConstantScheme(3));
  await stream.next();
  await stream.nextEpoch();

  expect(await targets(stream)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
});

test('batches without examples are passed over', async () => {
  const even = new Mapping(
    batches(6, 1),
    (columns) => new Map([...columns.keys()].map((source) => [source, evenOf(columns, source)])),
  );

  expect(await targets(new Cache(even, new ConstantScheme(2)))).toEqual([[0, 2], [4]]);
});

test('it gives what Batching gives of the unpacked examples', async () => {
  for (const [examples, large, size] of [
    [10, 3, 4],
    [10, 10, 3],
    [12, 4, 2],
    [12, 5, 12],
    [0, 3, 2],
  ] as const) {
    const unpacked = new Batching(new Unpack(batches(examples, large)), new ConstantScheme(size));
    expect(await drain(new Cache(batches(examples, large), new ConstantScheme(size)))).toEqual(await drain(unpacked));
  }
});

test('no more is read than the batch asks for, and the rest of one batch is kept', async () => {
  let reads = 0;
  class Counted extends IndexableDataset {
    override async getData(request: Parameters<IndexableDataset['getData']>[0]) {
      reads += 1;
      return super.getData(request);
    }
  }
  const dataset = new Counted({ targets: ndarray('uint8', [100]) });
  const stream = new Cache(new DatasetStream(dataset, new SequentialScheme(100, 10)), new ConstantScheme(4));

  const seen: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    await stream.next();
    seen.push(reads);
  }

  expect(seen).toEqual([1, 1, 2, 2, 2, 3]);
});

test('a read that fails loses no example, whatever was left before it', async () => {
  for (const failing of [0, 5, 10]) {
    let failures = 2;
    class Flaky extends IndexableDataset {
      override async getData(request: Parameters<IndexableDataset['getData']>[0]) {
        if (typeof request === 'object' && 'start' in request && request.start === failing && failures > 0) {
          failures -= 1;
          throw new Error('the disk is away');
        }
        return super.getData(request);
      }
    }
    const dataset = new Flaky({
      targets: ndarray(
        'uint8',
        [15],
        Uint8Array.from({ length: 15 }, (_, i) => i),
      ),
    });
    const stream = new Cache(new DatasetStream(dataset, new SequentialScheme(15, 5)), new ConstantScheme(7));
    const given: Batch[] = [];
    const failed: { readonly before: VersionedState; readonly after: VersionedState }[] = [];
    for (let batch: Batch | undefined | Error = new Error('first'); batch !== undefined;) {
      const state = stream.state();
      batch = await stream.next().catch((error: unknown) => error as Error);
      if (batch instanceof Error) failed.push({ before: state, after: stream.state() });
      else if (batch !== undefined) given.push(batch);
    }

    expect(failures).toBe(0);
    expect(failed).toHaveLength(2);
    for (const { before, after } of failed) expect(after).toEqual(before);
    expect(elements(given, 'targets')).toEqual([[0, 1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12, 13], [14]]);
  }
});

test('examples that cannot be put into one batch come again, and are not lost', async () => {
  const shapes = new Mapping(
    batches(4, 2),
    (columns) =>
      new Map(
        [...columns.keys()].map((source) => {
          const array = denseIn(columns, source);
          return [source, Number(array.data[0]) >= 2 ? flat(array) : array];
        }),
      ),
  );
  const stream = new Cache(shapes, new ConstantScheme(3));
  const state = stream.state();

  await expect(stream.next()).rejects.toThrow(/cannot be put into one batch/);
  await expect(stream.next()).rejects.toThrow(/cannot be put into one batch/);
  expect(stream.state()).toEqual(state);
});

test('a batch whose sources differ in length is refused, with the shapes', async () => {
  const uneven = new Mapping(batches(4, 2), (columns) => {
    return new Map<string, Column>([...columns, ['features', none(denseIn(columns, 'features'))]]);
  });

  await expect(new Cache(uneven, new ConstantScheme(2)).next()).rejects.toThrow(
    /Cache: .*features uint8 \(0, 2, 3\), targets int32 \(2, 1\)/,
  );
});

test('examples are refused', () => {
  const examples = new DatasetStream(toyDataset(3), new SequentialExampleScheme(3));

  expect(() => new Cache(examples, new ConstantScheme(2))).toThrow(/gives examples, not batches; Batching/);
});

describe('it can be saved before each batch and each end of an epoch:', () => {
  test.each([
    ['smaller batches', 11, 5, new ConstantScheme(2)],
    ['larger batches', 11, 2, new ConstantScheme(5)],
    ['the same batches', 9, 3, new ConstantScheme(3)],
    ['several sizes', 20, 6, new Sizes([1, 9, 2, 2, 3])],
    ['a scheme with an end', 20, 6, new ConstantScheme(4, { times: 3 })],
    ['no examples', 0, 2, new ConstantScheme(3)],
  ])('%s', async (_, examples, size, scheme) => {
    await assertResumable(() => new Cache(batches(examples, size), scheme), { epochs: 3 });
  });

  test('one on another', async () => {
    await assertResumable(() => new Cache(new Cache(batches(17, 6), new ConstantScheme(4)), new ConstantScheme(3)), {
      epochs: 3,
    });
  });

  test.each([
    ['with an end', () => map((n: number) => Float32Array.of(n, -n), chain(range(7), range(20, 24)))],
    ['without', () => cycle([3, 1, 4, 1, 5])],
  ])('over iterators %s', async (_, source) => {
    await assertResumable(
      () => {
        const examples = new IterableDataset({ targets: source() }).exampleStream();
        return new Cache(new Batching(examples, new ConstantScheme(4)), new ConstantScheme(3));
      },
      { steps: 15, epochs: 3 },
    );
  });
});

test('a state holds no examples, however many are left', async () => {
  const stream = new Cache(batches(5000, 5000), new ConstantScheme(3));
  await stream.next();

  expect(JSON.stringify(stream.state()).length).toBeLessThan(700);
});

test('the state of batches of other sizes, or of a shorter batch below, is refused', async () => {
  const stream = new Cache(batches(10, 5), new ConstantScheme(4));
  await stream.next();
  const state = stream.state();

  expect(() => new Cache(batches(10, 5), new ConstantScheme(3)).restore(state)).toThrow(
    /Cache: the state was saved with the batches .*"size":4.*but this one has .*"size":3/,
  );
  for (const given of [5, 6]) {
    const damaged = new Cache(batches(10, 5), new ConstantScheme(4));
    damaged.restore({ ...state, given });
    await expect(damaged.next()).rejects.toThrow(StateMismatch);
    await expect(damaged.next()).rejects.toThrow(
      new RegExp(`Cache: the saved state is in a batch of more than ${given} examples, but it has 5; build it over`),
    );
  }
});

/** Nothing where the target is odd. */
function evenOf(columns: Columns, source: string): NdArray {
  const array = denseIn(columns, source);
  return Number(denseIn(columns, 'targets').data[0]) % 2 === 1 ? none(array) : array;
}

function none({ dtype, shape }: NdArray): NdArray {
  return ndarray(dtype, [0, ...shape.slice(1)]);
}

function flat({ dtype, shape: [rows = 0], data }: NdArray): NdArray {
  return ndarray(dtype, [rows, data.length / rows], data);
}
