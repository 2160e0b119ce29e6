import { ndarray, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import {
  add,
  compile,
  grad,
  log,
  mul,
  replace,
  scalar,
  scan,
  shared,
  softmax,
  square,
  sum,
  tap,
  tensor,
  vector,
  type Variable,
} from '../index.js';
import { array, present } from '../../test/op-laws.js';

const TARGETS = [
  { engine: 'reference', provider: 'cpu' },
  { engine: 'onnxruntime', provider: 'cpu' },
  { engine: 'tfjs', provider: 'cpu' },
] as const;

/** Records what a tap is given. */
function recorder(): { readonly seen: (number | number[])[]; readonly callback: (value: NdArray) => void } {
  const seen: (number | number[])[] = [];
  return {
    seen,
    callback: ({ shape, data }) => void seen.push(shape.length === 0 ? Number(data[0]) : Array.from(data, Number)),
  };
}

test.each(TARGETS)('1.T-06, 1.18-27: a tap sees the value of each run, on $engine', async (target) => {
  const { seen, callback } = recorder();
  const x = vector('x');
  const tapped = tap(mul(x, 2), callback);
  const f = await compile({ inputs: [x], outputs: [sum(tapped)], ...target });
  expect(seen).toEqual([]);
  const [total] = await f.run([array('float32', [2], [1, 2])]);
  expect(total).toEqual(array('float32', [], [6]));
  await f.run([array('float32', [3], [0, 1, 0])]);
  expect(seen).toEqual([
    [2, 4],
    [0, 2, 0],
  ]);
  await f.dispose();
});

test.each(TARGETS)(
  'taps see what updates and gradients are computed from, before the update, on $engine',
  async (target) => {
    const [cost, gradient, order] = [recorder(), recorder(), [] as string[]];
    const W = shared(3, 'W');
    const hidden = tap(square(W), async (value) => {
      await Promise.resolve();
      cost.callback(value);
      order.push('cost');
    });
    const step = tap(present(grad(hidden, [W])[0]), async (value) => {
      gradient.callback(value);
      order.push('gradient');
      // The run updates W when all have seen their values.
      expect((await W.getValue()).data[0]).toBe(cost.seen.length === 1 ? 3 : -3);
    });
    const f = await compile({ inputs: [], outputs: [hidden], updates: [[W, add(W, mul(step, -1))]], ...target });
    await f.run([]);
    expect((await W.getValue()).data).toEqual(Float32Array.of(-3));
    await f.run([]);
    expect([cost.seen, gradient.seen, order]).toEqual([
      [9, 9],
      [6, -6],
      ['cost', 'gradient', 'cost', 'gradient'],
    ]);
    await f.dispose();
  },
);

test('where a tap throws, the run fails with nothing updated, and another run can be made', async () => {
  const W = shared(ndarray('float32', [1000]), 'W');
  let isBad = true;
  const tapped = tap(add(W, 1), () => {
    if (isBad) throw new Error('not finite');
  });
  const f = await compile({ inputs: [], outputs: [], updates: [[W, tapped]] });
  await expect(f.run([])).rejects.toThrow('not finite');
  expect((await W.getValue()).data[0]).toBe(0);
  isBad = false;
  await f.run([]);
  expect((await W.getValue()).data[0]).toBe(1);
});

test('what a tap is given belongs to it, also where it is an output or an update', async () => {
  const W = shared(ndarray('float32', [2]), 'W');
  const tapped = tap(add(W, 1), ({ data }) => void data.fill(9 as never));
  const f = await compile({ inputs: [], outputs: [tapped], updates: [[W, tapped]] });
  expect(await f.run([])).toEqual([array('float32', [2], [1, 1])]);
  expect((await W.getValue()).data).toEqual(Float32Array.of(1, 1));
});

test('copies of the graph are tapped too, and what takes the place of a tapped variable is not', async () => {
  const { seen, callback } = recorder();
  const [x, y] = [scalar('x'), scalar('y')];
  const tapped = tap(mul(x, 2), callback);
  const run = async (outputs: readonly Variable[]): Promise<void> => {
    const f = await compile({ inputs: [y], outputs });
    await f.run([array('float32', [], [5])]);
    await f.dispose();
  };
  await run(replace([square(tapped)], new Map([[x, y]])));
  expect(seen).toEqual([10]);
  await run(replace([square(tapped)], new Map([[tapped, y]])));
  expect(seen).toEqual([10]);
});

test('a tap stays where a stable form takes the place of what it is part of', async () => {
  const { seen, callback } = recorder();
  const x = tensor('x', 'float32', [1, 2]);
  const f = await compile({ inputs: [x], outputs: [log(tap(softmax(x), callback))] });
  const [result] = await f.run([array('float32', [1, 2], [0, 1000])]);
  expect(present(result).data).toEqual(Float32Array.of(-1000, 0));
  expect(seen).toEqual([[0, 1]]);
});

test('a variable that is given and not computed is not tapped', async () => {
  const { seen, callback } = recorder();
  const x = scalar('x');
  const tapped = tap(x, callback);
  const f = await compile({ inputs: [tapped], outputs: [mul(tapped, 2)] });
  await f.run([array('float32', [], [5])]);
  expect(seen).toEqual([]);
});

test('what is computed inside of a scan cannot be tapped; what goes into it and comes out can', async () => {
  const inside = recorder();
  const outside = recorder();
  const [rows, factor] = [vector('rows'), scalar('factor')];
  const tapped = tap(square(factor), outside.callback);
  const products = (watched: boolean): Variable =>
    present(
      scan((row) => (watched ? tap(mul(row, tapped), inside.callback) : mul(row, tapped)), { sequences: [rows] })[0],
    );
  await expect(compile({ name: 'steps', inputs: [rows, factor], outputs: [products(true)] })).rejects.toThrow(
    /^steps: the copy of `mul.0` float32 \(\) is tapped inside of an op with a graph of its own, such as scan/,
  );
  const f = await compile({ inputs: [rows, factor], outputs: [tap(products(false), outside.callback)] });
  await f.run([array('float32', [2], [1, 2]), array('float32', [], [3])]);
  expect([inside.seen, outside.seen]).toEqual([[], [9, [9, 18]]]);
});
