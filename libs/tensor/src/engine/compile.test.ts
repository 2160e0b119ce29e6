import { ndarray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  compile,
  constant,
  div,
  dot,
  matrix,
  mean,
  mul,
  pick,
  scalar,
  shared,
  square,
  sub,
  sum,
  tanh,
  tensor,
  vector,
  type Variable,
} from '../index.js';
import { array, expectClose, present } from '../../test/op-laws.js';

const engines: readonly string[] = ['reference', 'onnxruntime'];
const one = array('float32', [], [1]);

describe.each(engines)('on %s', (engine) => {
  test('1.T-93: all updates are computed from the old values', async () => {
    const [a, b] = [shared(1, 'a'), shared(2, 'b')];
    const swap = await compile({
      inputs: [],
      outputs: [add(a, b)],
      updates: [
        [a, b],
        [b, a],
      ],
      engine,
    });
    expectClose(present((await swap.run([]))[0]), array('float32', [], [3]));
    expect([(await a.getValue()).data[0], (await b.getValue()).data[0]]).toEqual([2, 1]);
    await swap.run([]);
    expect([(await a.getValue()).data[0], (await b.getValue()).data[0]]).toEqual([1, 2]);
  });

  test('a value that is pinned is never written again, nor freed before it is released', async () => {
    // Fewer elements than kernels are made for: their memory goes on to other values.
    const W = shared(ndarray('float32', [100]), 'W');
    const step = await compile({ inputs: [], outputs: [], updates: [[W, add(W, 1)]], engine });
    const pinned = [];
    for (let at = 0; at < 20; at += 1) {
      pinned.push(W.pin());
      await step.run([]);
    }
    const arrays = await Promise.all(pinned.map((value) => value.read()));
    for (const [at, { data }] of arrays.entries()) expect(new Set(Array.from(data, Number))).toEqual(new Set([at]));
    for (const value of pinned) value.release();
    expect(arrays.map(({ data }) => data.length)).toEqual(arrays.map(() => 0));
    expect(new Set(Array.from((await W.getValue()).data, Number))).toEqual(new Set([20]));
  });

  test('setValue is honoured by the next run, and does not touch the array it was given', async () => {
    const W = shared(1, 'W');
    const double = await compile({ inputs: [], outputs: [W], updates: [[W, mul(W, 2)]], engine });
    await double.run([]);
    const given = array('float32', [], [10]);
    W.setValue(given);
    expectClose(present((await double.run([]))[0]), array('float32', [], [10]));
    expect((await W.getValue()).data[0]).toBe(20);
    expect(given.data[0]).toBe(10);
  });

  test('functions that share a variable see one another\u2019s updates', async () => {
    const [x, W] = [scalar('x'), shared(1, 'W')];
    const train = await compile({ inputs: [x], outputs: [], updates: [[W, add(W, x)]], engine });
    const read = await compile({ inputs: [x], outputs: [mul(W, x)], engine });
    await train.run([array('float32', [], [4])]);
    expectClose(present((await read.run([array('float32', [], [3])]))[0]), array('float32', [], [15]));
    W.setValue(array('float32', [], [7]));
    expectClose(present((await read.run([one]))[0]), array('float32', [], [7]));
  });

  test('writing to an output changes neither shared variables nor other outputs', async () => {
    const W = shared(array('float32', [2], [1, 2]), 'W');
    const next = mul(W, 2);
    const f = await compile({ inputs: [], outputs: [next, next, W], updates: [[W, next]], engine });
    const before = await W.getValue();
    const [first, second, old] = await f.run([]);
    present(first).data[0] = -1;
    present(old).data[0] = -1;
    expect(Array.from(present(second).data, Number)).toEqual([2, 4]);
    expect(Array.from((await W.getValue()).data, Number)).toEqual([2, 4]);
    expect(Array.from(before.data, Number)).toEqual([1, 2]);
  });

  test('inputs, constants and shared variables can be outputs', async () => {
    const [x, W] = [vector('x'), shared(5, 'W')];
    const f = await compile({ inputs: [x], outputs: [x, W, constant(3), x], engine });
    const value = array('float32', [2], [1, 2]);
    const results = await f.run([value]);
    expect(results.map(({ data }) => Array.from(data, Number))).toEqual([[1, 2], [5], [3], [1, 2]]);
    expect(present(results[0]).data).not.toBe(value.data);
  });

  test('inputs may be parts of larger arrays, and in memory that threads share', async () => {
    const x = vector('x');
    const f = await compile({ inputs: [x], outputs: [mul(x, 2)], engine });
    const large = Float32Array.of(1, 2, 3, 4, 5);
    const [part] = await f.run([ndarray('float32', [2], large.subarray(3))]);
    expectClose(present(part), array('float32', [2], [8, 10]));
    const data = new Float32Array(new SharedArrayBuffer(8));
    data.set([3, 4]);
    expectClose(present((await f.run([ndarray('float32', [2], data)]))[0]), array('float32', [2], [6, 8]));
  });

  test('1.T-92: givens replace variables in outputs and updates', async () => {
    const [x, W] = [scalar('x'), shared(2, 'W')];
    const given = shared(10, 'given');
    const f = await compile({
      inputs: [],
      outputs: [mul(x, W)],
      updates: [[W, add(W, x)]],
      givens: new Map([[x, given]]),
      engine,
    });
    expectClose(present((await f.run([]))[0]), array('float32', [], [20]));
    expect((await W.getValue()).data[0]).toBe(12);
  });

  test('an intermediate variable can be an input: what computes it is left out', async () => {
    const x = scalar('x');
    const hidden = tanh(x);
    const f = await compile({ inputs: [hidden], outputs: [mul(hidden, 2), hidden], engine });
    expect((await f.run([array('float32', [], [3])])).map(({ data }) => data[0])).toEqual([6, 3]);
  });

  test('1.T-03: one function takes batches of any size, 0 and 1 among them', async () => {
    const [x, W] = [tensor('x', 'float32', [null, 2]), shared(array('float32', [2, 1], [1, 1]), 'W')];
    const f = await compile({ inputs: [x], outputs: [dot(x, W)], engine });
    for (const rows of [3, 1, 0, 5]) {
      const [result] = await f.run([ndarray('float32', [rows, 2], new Float32Array(rows * 2).fill(2))]);
      expectClose(present(result), ndarray('float32', [rows, 1], new Float32Array(rows).fill(4)));
    }
  });

  test('an update may change the sizes that are unknown, and no others', async () => {
    const [x, kept] = [matrix('x'), shared(ndarray('float32', [1, 2]), 'kept', { shape: [null, 2] })];
    const f = await compile({ inputs: [x], outputs: [], updates: [[kept, mul(x, 2)]], engine });
    await f.run([array('float32', [3, 2], [1, 2, 3, 4, 5, 6])]);
    expect((await kept.getValue()).shape).toEqual([3, 2]);
    await expect(f.run([ndarray('float32', [3, 4])])).rejects.toThrow(
      'the update of shared variable `kept` float32 (null, 2) has the size (3, 4); it must stay (null, 2)',
    );
    expect((await kept.getValue()).shape).toEqual([3, 2]);
  });

  test('a run that fails updates nothing, and the next one works', async () => {
    const [x, labels] = [tensor('x', 'float32', [null, 3]), tensor('labels', 'int64', [null])];
    const [count, total] = [shared(0, 'count'), shared(0, 'total')];
    const updates: [typeof count, Variable][] = [
      [count, add(count, 1)],
      [total, add(total, sum(pick(x, labels)))],
    ];
    const f = await compile({ name: 'collect', inputs: [x, labels], outputs: [], updates, engine });
    const rows = array('float32', [2, 3], [1, 2, 3, 4, 5, 6]);
    await expect(f.run([rows, array('int64', [2], [0, 7])])).rejects.toThrow(/pick/);
    expect([(await count.getValue()).data[0], (await total.getValue()).data[0]]).toEqual([0, 0]);
    await f.run([rows, array('int64', [2], [0, 1])]);
    expect([(await count.getValue()).data[0], (await total.getValue()).data[0]]).toEqual([1, 6]);
  });

  test('two runs at once that would lose an update are refused, as is setValue in between', async () => {
    const W = shared(0, 'W');
    const step = await compile({ name: 'step', inputs: [], outputs: [], updates: [[W, add(W, 1)]], engine });
    const read = await compile({ name: 'read', inputs: [], outputs: [W], engine });
    const runs = [step.run([]), step.run([]), read.run([])];
    expect(() => W.setValue(one)).toThrow('setValue while a run of step is updating it; await the run');
    const [first, second, third] = await Promise.allSettled(runs);
    expect(first?.status).toBe('fulfilled');
    expect(second).toMatchObject({
      reason: {
        message: expect.stringContaining('step: `W` float32 () is being updated by a run of step that has not'),
      },
    });
    expect(third).toMatchObject({
      reason: { message: expect.stringContaining('read: `W` float32 () is being updated') },
    });
    expectClose(present((await read.run([]))[0]), one);
  });

  test('values of the wrong number, dtype, shape or size are refused with the names and both types', async () => {
    const [features, targets] = [tensor('features', 'float32', [null, 784]), tensor('targets', 'float32', [null])];
    const W = shared(ndarray('float32', [784]), 'W');
    const f = await compile({
      name: 'train',
      inputs: [features, targets],
      outputs: [mean(square(sub(dot(features, W), targets)))],
      engine,
    });
    const good = ndarray('float32', [8, 784]);
    await expect(f.run([good])).rejects.toThrow(
      'train: takes 2 inputs (`features` float32 (null, 784), `targets` float32 (null,)) but was given 1',
    );
    await expect(f.run([ndarray('float32', [8, 780]), ndarray('float32', [8])])).rejects.toThrow(
      'train: input `features` float32 (null, 784) was given float32 (8, 780); give float32 of shape (null, 784)',
    );
    await expect(f.run([ndarray('float64', [8, 784]), ndarray('float32', [8])])).rejects.toThrow(
      'was given float64 (8, 784)',
    );
    await expect(f.run([good, ndarray('float32', [1])])).rejects.toThrow(
      'train: `features` has 8 along axis 0 but `targets` has 1 along axis 0; the graph needs these sizes to be equal',
    );
    await expect(f.run([good, ndarray('float32', [8])])).resolves.toHaveLength(1);
  });
});

describe('what cannot be compiled', () => {
  const [x, y] = [scalar('x'), scalar('y')];
  const W = shared(ndarray('float32', [2, 3]), 'W');

  test('an output of a variable that is not given', async () => {
    await expect(compile({ name: 'f', inputs: [x], outputs: [add(x, y)] })).rejects.toThrow(
      'f: the outputs depend on `y` float32 (), which is not among the inputs; add it',
    );
  });

  test('1.T-94: an input that nothing depends on, unless it is to be ignored', async () => {
    await expect(compile({ name: 'f', inputs: [x, y], outputs: [square(x)] })).rejects.toThrow(
      'f: no output depends on `y` float32 ()',
    );
    for (const engine of engines) {
      const f = await compile({ inputs: [x, y], outputs: [square(x)], onUnusedInput: 'ignore', engine });
      expectClose(present((await f.run([array('float32', [], [3]), one]))[0]), array('float32', [], [9]));
    }
  });

  test('an input twice, or one with a value of its own', async () => {
    await expect(compile({ inputs: [x, x], outputs: [x] })).rejects.toThrow('function: an input is listed twice');
    await expect(compile({ inputs: [W], outputs: [W] })).rejects.toThrow(
      '`W` float32 (2, 3) has a value of its own and cannot be an input',
    );
  });

  test('two updates of one variable, or one of another type', async () => {
    await expect(
      compile({
        inputs: [],
        outputs: [],
        updates: [
          [W, mul(W, 2)],
          [W, mul(W, 3)],
        ],
      }),
    ).rejects.toThrow('has two updates');
    await expect(compile({ inputs: [], outputs: [], updates: [[W, sum(W)]] })).rejects.toThrow(
      'function: the update `sum.0` float32 () does not fit shared variable `W` float32 (2, 3); dtype and shape must be the same',
    );
  });

  test('threads that are none', async () => {
    await expect(compile({ inputs: [x], outputs: [div(x, 2)], threads: 0 })).rejects.toThrow(
      'threads is 0; give an integer of 1 or more',
    );
  });
});

test.each([...engines, 'tfjs'])(
  'a disposed function ends its runs and begins none, and others go on: %s',
  async (engine) => {
    const x = scalar('x');
    const [first, second] = [
      await compile({ engine, threads: 1, inputs: [x], outputs: [add(square(x), 1)], name: 'first' }),
      await compile({ engine, threads: 1, inputs: [x], outputs: [add(square(x), 1)] }),
    ];
    const begun = first.run([one]);
    await Promise.all([first.dispose(), first.dispose()]);
    const disposed = 'first was disposed of and cannot run; compile it again';
    await expect(first.run([one])).rejects.toThrow(disposed);
    await expect(first.profile([one])).rejects.toThrow(disposed);
    expect(await begun).toEqual(await second.run([one]));
    await second.dispose();
  },
);
