import { ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect } from 'vitest';

import { compile, grad, isFloat, mul, sum, tensor, type Dim, type Variable } from '../src/index.js';
import { typedArray } from '../src/arrays/typed-array.js';
import { madeTogether } from '../src/graph/origin.js';

// A law opens dozens of small sessions: seconds, and many of them on a busy machine.
/** A function of variables, built anew for each law. */
export type Build = (...inputs: Variable[]) => Variable;

/** An array from plain numbers; -0, NaN and infinities included. */
export function array(dtype: DType, shape: readonly number[], values: readonly number[]): NdArray {
  return ndarray(dtype, shape, typedArray(dtype, values));
}

/** How much of a value's shape its input variable tells: all sizes, only those of 1 (which broadcast), or none. */
export type Knowledge = 'all sizes' | 'ones' | 'nothing';

/** An input variable for `value`. */
export function inputFor(value: NdArray, at: number, knowledge: Knowledge): Variable {
  const shape = value.shape.map((size): Dim =>
    knowledge === 'all sizes' || (knowledge === 'ones' && size === 1) ? size : null,
  );
  return tensor(`input${at}`, value.dtype, shape);
}

/** Runs `build` on one engine. */
export async function evaluate(engine: string, build: Build, values: readonly NdArray[]): Promise<NdArray> {
  const { inputs, outputs } = madeTogether(() => {
    const given = values.map((value, at) => inputFor(value, at, 'all sizes'));
    return { inputs: given, outputs: [build(...given)] };
  });
  const [result] = await runOnce(engine, inputs, outputs, values);
  return present(result);
}

/** The law that gradients are right: those of a weighted sum of the output against central differences, in float64. */
export async function expectGradientsRight(
  build: Build,
  values: readonly NdArray[],
  options: { readonly step?: number; readonly tolerance?: number } = {},
): Promise<void> {
  const step = options.step ?? 1e-5;
  const { inputs, weights, output, slopes } = madeTogether(() => {
    const given = values.map((value, at) => inputFor(value, at, at % 2 === 1 ? 'ones' : 'all sizes'));
    const built = build(...given);
    const factors = tensor('weights', 'float64', built.shape);
    const wrt = given.filter((input) => input.dtype === 'float64');
    const gradients = grad(sum(mul(built, factors)), wrt, { disconnectedInputs: 'zero' });
    return { inputs: given, weights: factors, output: built, slopes: gradients };
  });
  const on = { engine: 'reference', onUnusedInput: 'ignore' } as const;
  const forward = await compile({ inputs, outputs: [output], ...on });
  const gradients = await compile({ inputs: [...inputs, weights], outputs: slopes, ...on });
  const { shape } = present((await forward.run(values))[0]);
  const weighting = array(
    'float64',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, at) => weightAt(at)),
  );
  const analytic = await gradients.run([...values, weighting]);
  const costAt = async (fed: readonly NdArray[]): Promise<number> => {
    const { data } = present((await forward.run(fed))[0]);
    let cost = 0;
    for (let at = 0; at < data.length; at += 1) cost += Number(data[at]) * weightAt(at);
    return cost;
  };

  let which = 0;
  for (const [position, value] of values.entries()) {
    if (value.dtype !== 'float64') continue;
    const numeric: number[] = [];
    for (let element = 0; element < value.data.length; element += 1) {
      const at = async (shift: number): Promise<number> => {
        const moved = ndarray(value.dtype, value.shape, value.data.slice());
        moved.data[element] = Number(value.data[element]) + shift;
        return await costAt(values.with(position, moved));
      };
      numeric.push(((await at(step)) - (await at(-step))) / (2 * step));
    }
    expectClose(present(analytic[which]), array('float64', value.shape, numeric), options.tolerance ?? 1e-6);
    which += 1;
  }
}

/** Equal dtype and shape, NaN and infinities in the same places, and values within `tolerance`, relative above 1. */
export function expectClose(actual: NdArray, expected: NdArray, tolerance?: number, engine = 'the engine'): void {
  // An assertion takes longer than all else here, and there are some 100,000 results.
  const isAlike = actual.dtype === expected.dtype && actual.shape.join() === expected.shape.join();
  if (!isAlike) expect.fail(`${engine} gives ${shownType(actual)} and should give ${shownType(expected)}`);
  const allowed = tolerance ?? (actual.dtype === 'float32' ? 2e-6 : actual.dtype === 'float64' ? 1e-11 : 0);
  for (let at = 0; at < expected.data.length; at += 1) {
    const [got, want] = [Number(actual.data[at]), Number(expected.data[at])];
    const near = Math.abs(got - want) <= allowed * Math.max(1, Math.abs(want));
    const close = Object.is(got, want) || got === want || (Number.isFinite(want) && near);
    if (!close)
      expect.fail(
        `element ${at} on ${engine} is ${got} but should be ${want}: ${String(actual.data)} against ${String(expected.data)}`,
      );
  }
}

/** What an element of the output counts for in the cost of finite differences. */
function weightAt(element: number): number {
  return Math.cos(element * 1.7 + 0.3);
}

/** `float32 (2, 3)` */
export function shownType({ dtype, shape }: { readonly dtype: DType; readonly shape: readonly Dim[] }): string {
  return `${dtype} (${shape.join(', ')})`;
}

/** Shapes that broadcast together, sizes of 0 and 1 and missing axes included. */
export function broadcastShapes(count: number, options: { readonly minSize?: number } = {}): fc.Arbitrary<number[][]> {
  return fc
    .array(fc.integer({ min: options.minSize ?? 0, max: 3 }), { maxLength: 3 })
    .chain((full) =>
      fc.tuple(
        ...Array.from({ length: count }, () =>
          fc
            .tuple(fc.integer({ min: 0, max: full.length }), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }))
            .map(([missing, ones]) => full.map((size, axis) => (ones[axis] ? 1 : size)).slice(missing)),
        ),
      ),
    );
}

/** One shape of up to three axes. */
export function anyShape(
  options: { readonly minSize?: number; readonly minRank?: number } = {},
): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: options.minSize ?? 0, max: 4 }), { minLength: options.minRank ?? 0, maxLength: 3 });
}

/** An array of the given shape with elements of one of `dtypes`, drawn from `[low, high]`, integers for integer dtypes. */
export function arrayOf(dtype: DType, shape: readonly number[], low: number, high: number): fc.Arbitrary<NdArray> {
  const size = sizeOf(shape);
  const element = isFloat(dtype)
    ? fc.integer({ min: 0, max: 1000 }).map((step) => Math.fround(low + ((high - low) * step) / 1000))
    : fc.integer({ min: Math.ceil(low), max: Math.floor(high) });
  return fc.array(element, { minLength: size, maxLength: size }).map((values) => array(dtype, shape, values));
}

/**
 * Distinct values in `[low, high]` in a scrambled but fixed order, for finite differences: none is near 0, nor near one of an array
 * made with an offset one higher, whatever the sizes, so that no kink or tie is near.
 */
export function spread(shape: readonly number[], low: number, high: number, offset = 0): NdArray {
  const size = sizeOf(shape);
  const prime = 7919;
  const order = Array.from({ length: size }, (_, at) => ({ at, key: ((at + 1 + offset) * prime) % 104729 }));
  const ranks = new Float64Array(size);
  for (const [rank, { at }] of order.toSorted((a, b) => a.key - b.key).entries()) ranks[at] = rank;
  return ndarray(
    'float64',
    shape,
    ranks.map((rank) => low + ((high - low) * (rank + (offset % 2 === 0 ? 0.29 : 0.555))) / size),
  );
}

/** The value, which the types cannot promise. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A value is missing');
  return value;
}

async function runOnce(
  engine: string,
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  values: readonly NdArray[],
): Promise<NdArray[]> {
  const compiled = await compile({ inputs, outputs, engine, threads: 1, onUnusedInput: 'ignore' });
  const results = await compiled.run(values);
  await compiled.dispose();
  return results;
}
