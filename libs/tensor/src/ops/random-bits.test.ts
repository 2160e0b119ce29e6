import { randomAt, type NdArray, type RandomAt } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { compile, constant, formatType, randomBits, randomState, scalar, shared, tensor } from '../index.js';
import { ENGINES } from '../../test/engines.js';
import { array, present } from '../../test/op-laws.js';

const [SEED, STAGE] = [7, 'noise'];

function drawFrom(index: number): NdArray {
  const state = randomState(SEED, STAGE);
  state.data[2] = BigInt(index);
  return state;
}

function numbers({ data }: NdArray): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** What a place of libs/serialization gives for each width. */
const OF_PLACE: readonly (readonly [number, (place: RandomAt) => number])[] = [
  [32, (place) => place.uint32()],
  [31, (place) => place.uint32() >>> 1],
  [24, (place) => place.uint32() >>> 8],
  [1, (place) => place.uint32() >>> 31],
  [53, (place) => place.uniform() * 2 ** 53],
  [33, (place) => Math.floor(place.uniform() * 2 ** 33)],
];

describe.each(ENGINES)('on $name', (engine) => {
  test.each([0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 2])('draw %d has the bits of its place', async (index) => {
    const state = tensor('state', 'int64', [3]);
    const rows = scalar('rows', 'int64');
    for (const count of [5, 0]) {
      const draws = OF_PLACE.map(([width]) => randomBits(state, [rows, 3], { width }));
      const outputs = [...draws.map(({ values }) => values), present(draws[0]).state];
      const results = await engine.run([state, rows], outputs, [drawFrom(index), array('int64', [], [count])]);
      for (const [k, [, next]] of OF_PLACE.entries()) {
        const place = randomAt(SEED, { epoch: 0, index, stage: STAGE });
        const result = present(results[k]);
        expect([result.dtype, result.shape]).toEqual([outputs[k]?.dtype, [count, 3]]);
        expect(numbers(result)).toEqual(Array.from({ length: 3 * count }, () => next(place)));
      }
      expect(numbers(present(results.at(-1)))).toEqual(numbers(drawFrom(index + 1)));
    }
  });

  test('every number of words is drawn in full', async () => {
    const sizes = [0, 1, 2, 3, 4, 5, 8, 9];
    const state = constant(drawFrom(3));
    const results = await engine.run(
      [],
      sizes.map((size) => randomBits(state, [size]).values),
      [],
    );
    const place = randomAt(SEED, { epoch: 0, index: 3, stage: STAGE });
    const words = Array.from({ length: 9 }, () => place.uint32());
    expect(results.map(numbers)).toEqual(sizes.map((size) => words.slice(0, size)));
    const [one] = await engine.run([], [randomBits(state, []).values], []);
    expect([one?.shape, numbers(present(one))]).toEqual([[], words.slice(0, 1)]);
  });
});

test.each(['reference', 'onnxruntime', 'tfjs'])(
  'a state that is updated gives the next draw with each run: %s',
  async (engine) => {
    const state = shared(randomState(SEED, STAGE), 'state');
    const draw = randomBits(state, [2]);
    const provider = engine === 'tfjs' ? { provider: 'cpu' } : {};
    const f = await compile({
      inputs: [],
      outputs: [draw.values],
      updates: [[state, draw.state]],
      engine,
      ...provider,
    });
    for (const index of [0, 1, 2]) {
      const place = randomAt(SEED, { epoch: 0, index, stage: STAGE });
      expect((await f.run([])).map(numbers)).toEqual([[place.uint32(), place.uint32()]]);
    }
    await f.dispose();
  },
);

test('types tell the sizes that are known, and what is no state, shape or width is refused', () => {
  const state = shared(randomState(SEED, STAGE), 'state');
  expect(formatType(randomBits(state, [2, scalar('n', 'int32')]).values.type)).toBe('uint32 (2, null)');
  expect(formatType(randomBits(state, [], { width: 33 }).values.type)).toBe('int64 ()');
  expect(() => randomBits(shared(0, 'counter'), [2])).toThrow(
    'randomBits: `counter` float32 () is no state to draw from, which is int64 (3,); make one with shared(randomState(seed, stage))',
  );
  expect(() => randomBits(state, [2, -1])).toThrow('randomBits: there is no shape (2, -1)');
  expect(() => randomBits(state, [2], { width: 54 })).toThrow(
    'integers of 54 bits cannot be drawn; give a width of 1 to 53',
  );
});
