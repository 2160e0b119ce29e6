import { expect, test } from 'vitest';

import {
  add,
  compile,
  computeTarget,
  engineNamed,
  matrix,
  mul,
  shared,
  sum,
  tanh,
  tensor,
  type Variable,
} from '../../index.js';
import { filled, following, FUSED_SIZE } from '../../../test/following.js';
import { present } from '../../../test/op-laws.js';
import { runKernels } from './fused-executable.js';
import { fusedProgram } from './fused-program.js';
import { fuse, type Fusion } from './fuse.js';

test('updates that have arrays in common are one kernel, and what they need is computed before', async () => {
  const { updates } = following();
  const time = shared(0, 'time', { dtype: 'float64' });
  const f = await compile({ inputs: [], outputs: [], updates: [...updates, [time, add(time, 1)]] });
  const explanation = f.explain();
  expect(explanation.fused).toEqual([
    { outputs: ['sub.0', 'add.0', 'add.0'].map((name) => expect.stringContaining(name)), ops: 10 },
  ]);
  expect(explanation.unfused).toEqual([
    { output: expect.stringContaining('float64'), reason: 'kernels have no add of float64, float64, float64' },
  ]);
  expect(String(explanation)).toMatch(
    /^onnxruntime on cpu 0, 2 threads: 2 ops in 1 calls, 0 ops on the host, 10 fused to 1 kernels\n {2}10 ops fused -> `sub.0` .*\n {2}not fused -> `add.0` float64/,
  );
  const { ops } = await f.profile([]);
  expect(ops.map(({ on, kernels }) => [on, ...kernels].join(' ')).toSorted()).toEqual([
    'engine Add',
    'engine Tanh',
    'fused WebAssembly',
  ]);
  expect(ops.find(({ on }) => on === 'fused')).toMatchObject({ calls: 1, outputBytes: 3 * 4 * FUSED_SIZE });
});

test('updates of different arrays are kernels of their own, and those that only read one another are one', async () => {
  const [a, b, c] = [shared(filled(1), 'a'), shared(filled(2), 'b'), shared(filled(3), 'c')];
  const f = await compile({
    inputs: [],
    outputs: [],
    updates: [
      [a, mul(a, 2)],
      [b, mul(b, c)],
      [c, add(c, 1)],
    ],
  });
  expect(f.explain().fused.map(({ ops }) => ops)).toEqual([1, 2]);
  await f.run([]);
  const values = await Promise.all([a, b, c].map((variable) => variable.getValue()));
  expect(values.map(({ data }) => data[FUSED_SIZE - 1])).toEqual([2, 6, 4]);
});

test('it says why an update is not fused', async () => {
  const x = matrix('x');
  const [large, row, open] = [shared(filled(1)), shared(filled(1, 3)), shared(filled(1), 'open', { shape: [null] })];
  const f = await compile({
    inputs: [x],
    outputs: [],
    updates: [
      [large, mul(large, 2)],
      [open, mul(open, 2)],
      [row, add(row, sum(x, { axis: 0 }))],
      [shared(filled(1)), tanh(large)],
      [shared(1), mul(sum(x), 2)],
      [shared(filled(2)), large],
    ],
  });
  expect(f.explain().fused).toHaveLength(1);
  expect(f.explain().unfused.map(({ reason }) => reason)).toEqual([
    'its size is not known',
    'add broadcasts',
    'kernels have no tanh of float32, float32',
    'it is a number',
    'nothing computes it',
  ]);
});

test('few elements are not worth it, and what is beyond 4 GiB stays with the engine', () => {
  const few = fusionOf([1, 254]);
  expect([few.fused, few.rest.outputs.length]).toEqual([undefined, 2]);
  expect(new Set(few.unfused.map(({ reason }) => reason))).toEqual(
    new Set(['all such updates together have 255 elements, of 256 that are worth a kernel']),
  );
  expect(fusionOf([2, 254]).fused?.outputs).toHaveLength(2);
  const huge = fusionOf([256, 2 ** 28, 2 ** 28]);
  expect([huge.fused?.outputs.length, huge.rest.outputs.length]).toEqual([1, 2]);
  expect(huge.unfused.map(({ reason }) => reason)).toEqual(
    Array.from({ length: 2 }, () => 'WebAssembly has 4 GiB of memory'),
  );
});

test('what V8 would not take as one function stays with the engine', () => {
  const masked = (count: number): Fusion => {
    const inputs = Array.from({ length: count + 1 }, () => tensor('x', 'float32', [256]));
    const [mask, ...others] = inputs;
    return fusionInto(
      inputs,
      others.map((other) => mul(other, present(mask))),
    );
  };
  const most = masked(499);
  expect(most.fused?.kernels.map(({ nodes }) => nodes.length)).toEqual([499]);
  const fused = present(most.fused);

  expect(() => runKernels('f', fusedProgram(fused), fused.memory, () => fused.kernels)).not.toThrow();
  const more = masked(500);
  expect([more.fused, more.rest.outputs.length, more.unfused.length]).toEqual([undefined, 500, 500]);
});

test.each([{ engine: 'reference' }, { engine: 'tfjs', provider: 'cpu' }])(
  'others compute all themselves: $engine',
  async (target) => {
    const f = await compile({ inputs: [], outputs: [], updates: following().updates, ...target });
    expect([f.explain().fused, f.explain().unfused]).toEqual([[], []]);
  },
);

/** What becomes of the updates of state of such sizes, of which there are no values. */
function fusionOf(sizes: readonly number[]): Fusion {
  const inputs = sizes.map((size) => tensor('x', 'float32', [size]));
  return fusionInto(
    inputs,
    inputs.map((input) => mul(input, 2)),
  );
}

function fusionInto(inputs: readonly Variable[], outputs: readonly Variable[]): Fusion {
  const graph = { name: 'f', inputs, outputs, state: new Set(outputs) };
  return fuse(graph, engineNamed('onnxruntime'), computeTarget());
}
