import { readFileSync } from 'node:fs';

import { ndarray, sizeOf, type NdArray } from '@longrun/serialization';
import { compile, grad, matrix, mul, sum, tensor, vector, type SharedVariable, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  AUXILIARY,
  Elu,
  Gelu,
  Linear,
  MultiHeadAttention,
  Residual,
  select,
  Selector,
  Silu,
  SinusoidalPositions,
  Tanh,
  TransformerBlock,
  type Activation,
} from '../src/index.js';
import { evaluate } from './evaluate.js';

interface Case {
  readonly preNorm: boolean;
  readonly causal: boolean;
  readonly masked: boolean;
  readonly output: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** See make-transformer.py. */
const golden: {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly mask: readonly (readonly number[])[];
  readonly cases: readonly Case[];
} = JSON.parse(readFileSync(new URL('goldens/transformer.json', import.meta.url), 'utf8'));
const [BATCH, TIME, DIM, HIDDEN] = [2, 5, 8, 12];

function values(shape: readonly number[], seed: number, scale = 1, offset = 0): NdArray<'float32'> {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, at) => offset + scale * Math.sin(at * 1.3 + seed));
  return ndarray('float32', shape, data);
}

function expectClose(actual: NdArray | undefined, expected: readonly number[], what: string): void {
  const worst = Math.max(...expected.map((value, at) => Math.abs(Number(actual?.data[at]) - value)));
  expect([what, actual?.data.length, worst < 1e-4]).toEqual([what, expected.length, true]);
}

/** A block with the parameters of the script, and these by their paths below it. */
function block(options: Pick<Case, 'preNorm' | 'causal'>): {
  made: TransformerBlock;
  byPath: Map<string, SharedVariable>;
} {
  const made = new TransformerBlock({ name: 'block', dim: DIM, numHeads: 2, hiddenDim: HIDDEN, ...options });
  made.allocate();
  const byPath = new Map(
    [...new Selector([made]).getParameters()].map(([path, parameter]) => [
      path.replace('/block/', '').replaceAll('/', '.'),
      parameter,
    ]),
  );
  for (const [at, [name, shape]] of Object.entries(golden.shapes).entries()) {
    byPath.get(`${name}.W`)?.setValue(values(shape, at, 0.4));
    byPath.get(`${name}.b`)?.setValue(values([shape[1] ?? 0], 10 + at, 0.1));
  }
  for (const [name, seed] of [
    ['attention_norm', 20],
    ['mlp_norm', 22],
  ] as const) {
    byPath.get(`${name}.scale`)?.setValue(values([DIM], seed, 0.2, 1));
    byPath.get(`${name}.shift`)?.setValue(values([DIM], seed + 1, 0.2));
  }
  return { made, byPath };
}

describe('a layer of a transformer gives what PyTorch gives, with its gradients:', () => {
  test.each(golden.cases)('preNorm $preNorm, causal $causal, masked $masked', async (one) => {
    const { made, byPath } = block(one);
    const [input, mask] = [tensor('input', 'float32', [null, null, DIM]), matrix('mask')];
    const output = made.apply({ input, ...(one.masked ? { mask } : {}) });
    const weighting = tensor('weighting', 'float32', output.shape);
    const paths = Object.keys(one.gradients);
    const wrt = paths.map((path): Variable => byPath.get(path) ?? input);
    const f = await compile({
      inputs: [input, mask, weighting],
      outputs: [output, ...grad(sum(mul(output, weighting)), wrt)],
      engine: 'onnxruntime',
      threads: 1,
      onUnusedInput: 'ignore',
    });
    const given = ndarray('float32', [BATCH, TIME], Float32Array.from(golden.mask.flat()));
    const shape = [BATCH, TIME, DIM];
    const [result, ...gradients] = await f.run([values(shape, 30), given, values(shape, 31)]);
    await f.dispose();
    expectClose(result, one.output, 'output');
    for (const [at, path] of paths.entries()) expectClose(gradients[at], one.gradients[path] ?? [], path);
  });
});

describe('attention', () => {
  test('has its weights among the variables of the graph, found by what they are', () => {
    const attention = new MultiHeadAttention({ dim: 4, numHeads: 2, attendedDim: 3 });
    const [queries, attended] = [tensor('q', 'float32', [null, 5, 4]), tensor('a', 'float32', [null, 7, 3])];
    const output = attention.apply({ queries, attended });
    expect(select(output).role(AUXILIARY).name('attention_weights').one().ndim).toBe(4);
    expect(select(output).path('/multiheadattention/key.W').one().shape).toEqual([3, 4]);
    expect(output.ndim).toBe(3);
  });

  test('to nothing at all is even, and not NaN', async () => {
    const attention = new MultiHeadAttention({ dim: 2 });
    attention.allocate();
    for (const child of attention.children) {
      child.parameterNamed('W').setValue(ndarray('float32', [2, 2], Float32Array.of(1, 0, 0, 1)));
      child.parameterNamed('b').setValue(ndarray('float32', [2]));
    }
    const [queries, mask] = [tensor('q', 'float32', [1, 2, 2]), matrix('mask')];
    const output = attention.apply({ queries, mask });
    const given = [
      [queries, ndarray('float32', [1, 2, 2], Float32Array.of(1, 2, 3, 4))],
      [mask, ndarray('float32', [1, 2])],
    ] as const;
    expect(await evaluate(output, given)).toEqual([2, 3, 2, 3]);
  });

  test('is refused where heads cannot share, or there are none', () => {
    expect(() => new MultiHeadAttention({ dim: 4, numHeads: 3 }).allocate()).toThrow(
      '3 heads cannot share a size of 4',
    );
    expect(() => new MultiHeadAttention({ numHeads: 0 })).toThrow('there cannot be 0 heads');
    expect(() => new TransformerBlock({}).allocate()).toThrow('allocation config not set: dim');
  });

  test('is copied with the block that it belongs to', () => {
    const original = new TransformerBlock({ name: 'block', numHeads: 2, preNorm: false });
    original.dim.value = 6;
    const copy = original.copy('twin');
    copy.allocate();
    expect([copy.attention.numHeads, copy.preNorm, copy.mlp.dims.map(({ value }) => value)]).toEqual([
      2,
      false,
      [6, 24, 6],
    ]);
    expect([...new Selector([copy]).getParameters().keys()]).toContain('/twin/attention/query.W');
  });
});

test('positions are told by waves of all lengths', async () => {
  const input = tensor('input', 'float32', [1, 3, 4]);
  const output = new SinusoidalPositions({ dim: 4 }).apply(input);
  const zeros = ndarray('float32', [1, 3, 4]);
  const expected = [0, 1, 2].flatMap((at) => [Math.sin(at), Math.sin(at / 100), Math.cos(at), Math.cos(at / 100)]);
  for (const [at, value] of (await evaluate(output, [[input, zeros]])).entries())
    expect(value).toBeCloseTo(expected[at] ?? 0, 5);
  expect(() => new SinusoidalPositions({ dim: 3 }).apply(tensor('x', 'float32', [1, 3, 3]))).toThrow(
    'dim is 3; give an even number',
  );
});

test('a residual adds what comes of its input to it', async () => {
  const linear = new Linear({ inputDim: 1, outputDim: 1, useBias: false });
  const x = matrix('x');
  const output = new Residual([linear, new Tanh()]).apply(x);
  linear.W.setValue(ndarray('float32', [1, 1], Float32Array.of(2)));
  const [value = 0] = await evaluate(output, [[x, ndarray('float32', [1, 1], Float32Array.of(0.25))]]);
  expect(value).toBeCloseTo(0.25 + Math.tanh(0.5), 6);
});

test.each<[Activation, (x: number) => number]>([
  [new Gelu(), (x) => [-0.158_655_254, 0, 0.841_344_746][x + 1] ?? 0],
  [new Silu(), (x) => x / (1 + Math.exp(-x))],
  [new Elu(), (x) => (x > 0 ? x : Math.expm1(x))],
])('%s', async (activation, expected) => {
  const x = vector('x');
  const points = [-1, 0, 1];
  const found = await evaluate(activation.apply(x), [[x, ndarray('float32', [3], Float32Array.from(points))]]);
  for (const [at, point] of points.entries()) expect(found[at]).toBeCloseTo(expected(point), 6);
});
