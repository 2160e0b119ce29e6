import { RandomState, RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { ConcatenatedScheme } from './concatenated-scheme.js';
import { ShuffledExampleScheme } from './shuffled-example-scheme.js';
import { ShuffledScheme } from './shuffled-scheme.js';

test('2.3-02: a request does not depend on those before it', () => {
  const inOrder = requests(new ShuffledScheme(20, 6, { random: random(1) }), 3);
  const scheme = new ShuffledScheme(20, 6, { random: random(1) });

  expect(scheme.request(2, 1)).toEqual(Uint32Array.from(inOrder[2]?.[1] ?? []));
  expect(scheme.request(0, 3)).toEqual(Uint32Array.from(inOrder[0]?.[3] ?? []));
  expect(scheme.request(2, 0)).toEqual(Uint32Array.from(inOrder[2]?.[0] ?? []));
});

test('nothing is drawn from the random stream, nor does it matter what others drew', () => {
  const stream = random(1);
  const before = stream.state();
  const first = requests(new ShuffledScheme(20, 6, { random: stream }), 2);
  expect(stream.state()).toEqual(before);

  stream.uint32();
  expect(requests(new ShuffledScheme(20, 6, { random: stream }), 2)).toEqual(first);
});

test('sorted indices are the same batches, each sorted', () => {
  const shuffled = requests(new ShuffledScheme(20, 6, { random: random(1) }), 2);
  const sorted = requests(new ShuffledScheme(20, 6, { random: random(1), sortedIndices: true }), 2);

  expect(sorted).toEqual(shuffled.map((epoch) => epoch.map((batch) => batch.toSorted((a, b) => a - b))));
  expect(sorted).not.toEqual(shuffled);
});

test('the order of an epoch is drawn once for all that go through it, whichever epochs others are in', () => {
  const stream = random(1);
  const drawn: (string | number)[] = [];
  const counted = Object.assign(Object.create(stream), {
    fork: (label: string | number) => {
      drawn.push(label);
      return stream.fork(label);
    },
  });
  const scheme = new ConcatenatedScheme([new ShuffledScheme(20, 6, { random: counted })]);
  const whole = requests(new ShuffledScheme(20, 6, { random: stream }), 3);
  const [ahead, behind, beside] = [{}, {}, {}];

  for (let position = 0; position < 4; position += 1) {
    expect(scheme.request(2, position, ahead)).toEqual(Uint32Array.from(whole[2]?.[position] ?? []));
    expect(scheme.request(1, position, behind)).toEqual(Uint32Array.from(whole[1]?.[position] ?? []));
    expect(scheme.request(1, position, beside)).toEqual(scheme.request(1, position, behind));
  }
  expect(drawn).toEqual([2, 1]);
});

test('listed examples are shuffled, and no others come', () => {
  const [epoch = []] = requests(new ShuffledScheme([7, 30, 2], 2, { random: random(1) }), 1);

  expect(epoch.flat().toSorted((a, b) => a - b)).toEqual([2, 7, 30]);
});

test('another seed, size or order is another identity', () => {
  const identities = [
    new ShuffledScheme(20, 6, { random: random(1) }),
    new ShuffledScheme(20, 6, { random: random(2) }),
    new ShuffledScheme(20, 5, { random: random(1) }),
    new ShuffledScheme(21, 6, { random: random(1) }),
    new ShuffledScheme(20, 6, { random: random(1), sortedIndices: true }),
  ].map((scheme) => JSON.stringify(scheme.identity()));

  expect(new Set(identities).size).toBe(5);
});

function random(seed: number) {
  return new RandomStreams(seed).stream('order');
}

function requests(scheme: ShuffledScheme, epochs: number): number[][][] {
  return Array.from({ length: epochs }, (_, epoch) =>
    Array.from({ length: scheme.requestsPerEpoch }, (__, position) => {
      const request = scheme.request(epoch, position);
      return request instanceof Uint32Array ? [...request] : [];
    }),
  );
}

test('2.3-10: by a RandomState the order is that of the original Fuel, epoch by epoch, and any epoch can be had', () => {
  // What its schemes gave, in Python 3.11 with NumPy 2.4.
  const inOrder = [
    [
      [2, 3, 4, 9],
      [1, 6, 0, 7],
      [10, 8, 5],
    ],
    [
      [1, 7, 3, 0],
      [8, 5, 10, 4],
      [2, 9, 6],
    ],
    [
      [9, 3, 5, 10],
      [0, 6, 1, 8],
      [7, 4, 2],
    ],
  ];
  const sorted = [
    [[5, 7], [2, 30], [9]],
    [[2, 9], [5, 30], [7]],
  ];
  const generator = new RandomState(1);
  const before = generator.state();
  const scheme = new ShuffledScheme(11, 4, { random: generator });

  expect(requests(scheme, 3)).toEqual(inOrder);
  expect([...(scheme.request(0, 1) as Uint32Array), ...(scheme.request(2, 0) as Uint32Array)]).toEqual([
    1, 6, 0, 7, 9, 3, 5, 10,
  ]);
  expect([...(new ShuffledScheme(11, 4, { random: generator }).request(2, 2) as Uint32Array)]).toEqual([7, 4, 2]);
  expect(generator.state()).toEqual(before);
  expect(
    requests(new ShuffledScheme([7, 30, 2, 9, 5], 2, { random: new RandomState(5), sortedIndices: true }), 2),
  ).toEqual(sorted);
  const examples = new ShuffledExampleScheme(7, { random: new RandomState(1) });
  expect([0, 1, 2, 3, 4, 5, 6].map((position) => examples.request(1, position))).toEqual([2, 3, 4, 1, 6, 0, 5]);
  expect(scheme.identity()).not.toEqual(new ShuffledScheme(11, 4, { random: new RandomState(2) }).identity());
});
