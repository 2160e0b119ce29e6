import { expect, test } from 'vitest';

import { ndarray } from '@longrun/serialization';

import {
  add,
  compile,
  dot,
  grad,
  madeFor,
  mul,
  scan,
  shared,
  sum,
  tanh,
  tap,
  tensor,
  zeros,
  type ComputeOptions,
  type Variable,
} from '../index.js';
import { array, present } from '../../test/op-laws.js';
import { Profile } from './profile.js';

const TARGETS: readonly ComputeOptions[] = [
  { engine: 'reference' },
  { engine: 'onnxruntime' },
  { engine: 'tfjs', provider: 'cpu' },
];

test.each(TARGETS)(
  'a profile tells of each op how long it took and how large its results are: $engine',
  async (target) => {
    const [x, W] = [tensor('x', 'float32', [null, 100]), shared(ndarray('float32', [100, 50]), 'W')];
    const f = await compile({ inputs: [x], outputs: [sum(tanh(dot(x, W)))], ...target, threads: 1 });
    const profile = await f.profile([ndarray('float32', [200, 100])], { runs: 3 });
    expect(profile.runs).toBe(3);
    const byOp = new Map(profile.ops.map((op) => [op.op, op]));
    const product = present(byOp.get('dot(x,W)'));
    expect(product).toMatchObject({ on: 'engine', calls: 1, outputBytes: 200 * 50 * 4 });
    expect(product.timeMs).toBeGreaterThan(0);
    expect(present(byOp.get('sum(tanh.0)')).outputBytes).toBe(4);
    expect(profile.timeMs).toBeCloseTo(
      profile.ops.reduce((total, { timeMs }) => total + timeMs, 0),
      9,
    );
    expect(profile.toString()).toMatch(
      /^\d+\.\d{3} ms in \d ops, on average of 3 runs\n(.*\n)*.* 40000 bytes  dot\(x,W\) by /,
    );
    await f.dispose();
  },
);

test('profiling updates nothing, hands nothing to taps, and leaves the function as it was', async () => {
  let taps = 0;
  const W = shared(3, 'W');
  const next = tap(mul(W, 2), () => void (taps += 1));
  const f = await compile({ inputs: [], outputs: [next], updates: [[W, next]] });
  expect((await f.profile([])).ops.map(({ op }) => op)).toContain('mul(W,2)');
  expect([taps, (await W.getValue()).data]).toEqual([0, Float32Array.of(3)]);
  expect(await f.run([])).toEqual([array('float32', [], [6])]);
});

test('the host has its part in a profile', async () => {
  const [n, x] = [tensor('n', 'int64', []), tensor('x', 'float32', [2])];
  const f = await compile({ inputs: [n, x], outputs: [mul(n, n), tanh(x)], engine: 'tfjs', provider: 'cpu' });
  const { ops } = await f.profile([array('int64', [], [5]), array('float32', [2], [1, 2])]);
  expect(ops.map(({ op, on }) => `${op} on ${on}`).toSorted()).toEqual(['mul(n,n) on host', 'tanh(x) on engine']);
});

test('the time of a scan is that of its steps and, apart from it, its own', async () => {
  const x = tensor('x', 'float32', [20, 50]);
  const [rows] = scan((row, last) => mul(tanh(add(row, present(last))), 2), {
    sequences: [x],
    outputsInfo: [zeros([50], 'float32')],
  });
  const f = await compile({ inputs: [x], outputs: [present(rows)] });
  const { ops } = await f.profile([ndarray('float32', [20, 50])], { runs: 2 });
  expect(ops.find(({ op }) => op.startsWith('tanh('))).toMatchObject({ calls: 20, outputBytes: 200 });
  expect(ops.find(({ kernels }) => kernels.includes('Scan'))).toMatchObject({ calls: 1, outputBytes: 4200 });
});

test.each(TARGETS)(
  'ops are of the part of a model that they were made for, and so are their gradients: $engine',
  async (target) => {
    const [x, W] = [tensor('x', 'float32', [4, 3]), shared(ndarray('float32', [3, 3]), 'W')];
    const [hidden, cost] = [
      madeFor(
        () => '/hidden',
        () => tanh(dot(x, W)),
      ),
      (of: Variable) => sum(mul(of, of)),
    ];
    const output = madeFor(
      () => '/output',
      () => tanh(dot(hidden, W)),
    );
    const loss = cost(output);
    const f = await compile({ inputs: [x], outputs: [loss, present(grad(loss, [W])[0])], ...target, threads: 1 });
    const { ops } = await f.profile([ndarray('float32', [4, 3])], { runs: 1 });
    const partsOf = (start: string): string[] =>
      ops.flatMap(({ op, part }) => (op.startsWith(start) ? [part ?? 'none'] : [])).toSorted();

    expect(partsOf('tanh(')).toEqual(['/hidden', '/output']);
    // One forward in each; to the weights of each, and from the output to what is hidden.
    expect(partsOf('dot(')).toEqual(['/hidden', '/hidden', '/output', '/output', '/output']);
    expect(partsOf('sum(')).toEqual(['none']);
    await f.dispose();
  },
);

test('what cannot be profiled is refused', async () => {
  const x = tensor('x', 'float32', [2]);
  const f = await compile({ inputs: [x], outputs: [tanh(x)], engine: 'reference' });
  await expect(f.profile([])).rejects.toThrow('takes 1 inputs');
  await expect(f.profile([ndarray('float32', [2])], { runs: 0 })).rejects.toThrow(
    'runs is 0; give an integer of 1 or more',
  );
});

test('calls are averaged by op', () => {
  const call = { op: 'dot(x,W)', kernel: 'MatMul', on: 'engine', timeMs: 2, outputBytes: 8 } as const;
  const other = { op: 'tanh(x)', kernel: 'Tanh', on: 'engine', timeMs: 30, outputBytes: 4 } as const;
  const profile = new Profile(2, [call, other, { ...call, kernel: 'Gemm', timeMs: 4, outputBytes: 16 }, call, call]);
  expect(profile.ops).toEqual([
    { op: 'tanh(x)', kernels: ['Tanh'], on: 'engine', calls: 0.5, timeMs: 15, outputBytes: 4 },
    { op: 'dot(x,W)', kernels: ['MatMul', 'Gemm'], on: 'engine', calls: 2, timeMs: 5, outputBytes: 16 },
  ]);
  expect(profile.timeMs).toBe(20);
});
