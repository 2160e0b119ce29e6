// Streams that threads build too: plain JavaScript, as a thread loads no TypeScript everywhere.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

// oxlint-disable-next-line @nx/enforce-module-boundaries -- threads have the library as it is built, and tests its sources
import {
  Batching,
  Cache,
  ConstantScheme,
  DatasetStream,
  Filter,
  IndexableDataset,
  IterableDataset,
  Mapping,
  RandomHorizontalFlip,
  ShuffledScheme,
} from '@longrun/fuel';
import { chain, map, ndarray, RandomAt, RandomKey, RandomStreams, range } from '@longrun/serialization';

/** Images that are shuffled and flipped, `count` of them in batches of `size`. The batch `broken` that a stream reads cannot be made; each that is read is a dot in `log`. */
export function images({ count, size, broken = -1, log }) {
  const dataset = new IndexableDataset({
    images: ndarray(
      'uint8',
      [count, 1, 2, 3],
      Uint8Array.from({ length: count * 6 }, (_, i) => i % 251),
    ),
    numbers: ndarray(
      'int32',
      [count, 1],
      Int32Array.from({ length: count }, (_, i) => i),
    ),
  });
  const random = new RandomStreams(4).stream('order');
  const stream = new DatasetStream(dataset, new ShuffledScheme(count, size, { random }));
  let given = 0;
  const checked = new Mapping(stream, (columns) => {
    given += 1;
    if (log !== undefined) appendFileSync(log, '.');
    if (given === broken) throw new RangeError(`batch ${given} is broken`);
    return columns;
  });
  return new RandomHorizontalFlip(checked, { seed: 3, whichSources: ['images'] });
}

/** Rows of several lengths out of iterators, filtered, put into batches and taken apart again by a cache. */
export async function ragged() {
  const rows = map((n) => Float32Array.from({ length: n % 4 }, (_, i) => n + i), chain(range(7), range(20, 30)));
  const examples = new Filter(
    new IterableDataset({ rows }).exampleStream(),
    (columns) => columns.get('rows').shape[0] !== 3,
  );
  return new Cache(new Batching(examples, new ConstantScheme(5)), new ConstantScheme(2));
}

/** A mapping whose thread ends itself at the second batch. */
export function ending() {
  return (columns, { index }) => {
    if (index === 1 && !isMainThread) process.exit(7);
    return columns;
  };
}

export function nothing() {
  return 3;
}

export const NUMBER = 3;

/** Adds what is drawn for each batch by its place; every batch whose index `broken` divides cannot be made in a thread, and so nowhere. */
export function adding({ seed, broken = 0 }) {
  const key = new RandomKey(seed, 'adding');
  return (columns, { epoch, index }) => {
    if (broken > 0 && index % broken === broken - 1) throw new RangeError(`batch ${index} is broken`);
    const amount = new RandomAt(key, epoch, index).integer(1000);
    const numbers = columns.get('numbers');
    return new Map([
      ...columns,
      [
        'numbers',
        ndarray(
          'int32',
          numbers.shape,
          numbers.data.map((n) => n + amount),
        ),
      ],
    ]);
  };
}
