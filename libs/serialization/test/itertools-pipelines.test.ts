import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  accumulate,
  assertResumable,
  batched,
  chain,
  compress,
  cycle,
  dropWhile,
  filter,
  groupBy,
  interleave,
  islice,
  iterate,
  map,
  pairwise,
  partition,
  permutations,
  product,
  range,
  takeWhile,
  tee,
  zip,
  zipLongest,
  type StatefulIterator,
} from '../src/index.js';

/** Each makes an iterator over whatever another one gives. */
const AROUND: Readonly<Record<string, (source: StatefulIterator<unknown>) => StatefulIterator<unknown>>> = {
  accumulate: (source) => accumulate(source, (total: number, item) => total + sizeOf(item), { initial: 0 }),
  batched: (source) => batched(source, 3),
  chain: (source) => chain('ab', source, range(2)),
  'chain.fromIterable': (source) => chain.fromIterable(map((item) => [item, 'x'], source)),
  compress: (source) => compress(source, cycle([1, 0, 1])),
  // With an end: what looks for an item that never comes looks for ever, as in CPython.
  cycle: (source) => islice(cycle(source), 30),
  dropWhile: (source) => dropWhile((item) => sizeOf(item) < 2, source),
  filter: (source) => filter((item) => sizeOf(item) % 3 !== 0, source),
  'groupBy whole': (source) => map(([key, group]) => [key, [...islice(group, 20)]], groupBy(source, sizeOf)),
  'groupBy in part': (source) => chain.fromIterable(map(([, group]) => islice(group, 2), groupBy(source, sizeOf))),
  interleave: (source) => interleave([range(3), source, 'ab']),
  islice: (source) => islice(source, 1, 9, 2),
  map: (source) => map((item) => ({ item }), source),
  pairwise: (source) => pairwise(source),
  partition: (source) => partition(2, source, { pad: null }),
  permutations: (source) => permutations(islice(source, 4), 2),
  product: (source) => product([islice(source, 3), 'ab']),
  takeWhile: (source) => takeWhile((item) => sizeOf(item) < 4, source),
  tee: (source) => {
    const [a = source, b = source] = tee(source);
    return zip(a, islice(b, 2, null));
  },
  zip: (source) => zip(source, range(7)),
  zipLongest: (source) => zipLongest([source, range(5)]),
};

const pipelines = fc.record({
  items: fc.array(fc.nat(5), { maxLength: 9 }),
  links: fc.array(fc.constantFrom(...Object.keys(AROUND)), { minLength: 1, maxLength: 4 }),
});

test('any pipeline of itertools that is cut at any step goes on as without', async () => {
  await fc.assert(
    fc.asyncProperty(pipelines, async ({ items, links }) => {
      await assertResumable(() => links.reduce((source, link) => around(link, source), iterate<unknown>(items)), {
        steps: 10,
      });
    }),
    { numRuns: 150 },
  );
});

test.each(Object.keys(AROUND))('%s resumes wherever its source has a state of its own', async (link) => {
  await assertResumable(() => around(link, pairwise(chain(range(6), 'abc'))), { steps: 20 });
});

test('one iterator read in two places resumes', async () => {
  // CPython's idiom for batches, zip(*[iter(x)] * 2).
  await assertResumable(() => {
    const one = iterate(range(9));
    return zip(one, one);
  });
  const one = iterate('abcdef');
  expect([...zip(islice(one, 2), one)]).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('the example of the README', async () => {
  const pipeline = () =>
    batched(
      filter((n: number) => n % 3 !== 0, cycle(range(10))),
      4,
    );
  const uncut = pipeline();
  expect(uncut.next().value).toEqual([1, 2, 4, 5]);
  const resumed = pipeline();
  resumed.restore(JSON.parse(JSON.stringify(uncut.state())));
  expect(resumed.next().value).toEqual([7, 8, 1, 2]);
  await assertResumable(pipeline, { steps: 20 });
});

function around(link: string, source: StatefulIterator<unknown>): StatefulIterator<unknown> {
  const make = AROUND[link];
  if (make === undefined) throw new Error(`the test does not know ${link}`);
  return make(source);
}

/** Some whole number of whatever an item is. */
function sizeOf(item: unknown): number {
  return typeof item === 'number' ? item : (JSON.stringify(item) ?? '').length % 7;
}
