import { ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect } from 'vitest';

import { compile, grad, isFloat, mul, sum, tensor, type Dim, type Variable } from '../src/index.js';
import { typedArray } from '../src/arrays/typed-array.js';
import { BEYOND_LIMITS, ENGINES, runWithinLimits } from './engines.js';
import type { Trial } from './trials.js';

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
  const inputs = values.map((value, at) => inputFor(value, at, 'all sizes'));
  const [result] = await runOnce(engine, inputs, [build(...inputs)], values);
  return present(result);
}

/**
 * The law that every engine computes the same: dtype, shape and values of the results, and of the gradients of float inputs where
 * `gradients` is set, with sizes known and unknown; those of a single input are unknown even where they are 1, as in a batch of 1.
 */
export async function expectEnginesAgree(
  build: Build,
  values: readonly NdArray[],
  options: AgreementOptions = {},
): Promise<void> {
  await expectEnginesAgreeOnEach(build, [values], options);
}

/** The same of several lists of values, which are run as one function: that is several times as fast as one by one. */
export async function expectEnginesAgreeOnEach(
  build: Build,
  lists: readonly (readonly NdArray[])[],
  options: AgreementOptions = {},
): Promise<void> {
  const trials = lists.flatMap((values) => {
    const known: readonly Knowledge[] = values.length === 1 ? ['all sizes', 'nothing'] : ['all sizes', 'ones'];
    return known.map((knowledge) => agreementTrial(build, values, knowledge, options));
  });
  const [inputs, outputs] = [trials.flatMap((trial) => trial.inputs), trials.flatMap((trial) => trial.outputs)];
  const values = trials.flatMap((trial) => trial.values);
  const expected = await runOnce('reference', inputs, outputs, values);
  for (const engine of OTHERS) {
    const actual = await runWithinLimits(engine, inputs, outputs, values);
    if (actual === BEYOND_LIMITS) continue;
    for (const [at, result] of actual.entries()) {
      expectClose(result, present(expected[at]), options.tolerance, engine.name);
      expect(outputs[at]?.shape.every((dim, axis) => dim === null || dim === result.shape[axis])).toBe(true);
      expect(outputs[at]?.dtype).toBe(result.dtype);
    }
  }
}

interface AgreementOptions {
  /** Whether the gradients of float inputs are to agree too. Default false. */
  readonly gradients?: boolean;
  /** As of {@link expectClose}. */
  readonly tolerance?: number;
}

function agreementTrial(
  build: Build,
  values: readonly NdArray[],
  knowledge: Knowledge,
  { gradients = false }: AgreementOptions,
): Pick<Trial, 'inputs' | 'values' | 'outputs'> {
  const inputs = values.map((value, at) => inputFor(value, at, knowledge));
  const output = build(...inputs);
  const wrt = gradients ? inputs.filter((input) => isFloat(input.dtype)) : [];
  const derived = wrt.length === 0 ? [] : grad(sum(output), wrt, { disconnectedInputs: 'zero' });
  return { inputs, values, outputs: [output, ...derived] };
}

const OTHERS = ENGINES.filter(({ name }) => !name.startsWith('reference'));

/** The law that gradients are right: those of a weighted sum of the output against central differences, in float64. */
export async function expectGradientsRight(
  build: Build,
  values: readonly NdArray[],
  options: { readonly step?: number; readonly tolerance?: number } = {},
): Promise<void> {
  const step = options.step ?? 1e-5;
  const inputs = values.map((value, at) => inputFor(value, at, at % 2 === 1 ? 'ones' : 'all sizes'));
  const output = build(...inputs);
  const weights = tensor('weights', 'float64', output.shape);
  const cost = sum(mul(output, weights));
  const wrt = inputs.filter((input) => input.dtype === 'float64');
  const costs = await compile({
    inputs: [...inputs, weights],
    outputs: [cost, output],
    engine: 'reference',
    onUnusedInput: 'ignore',
  });
  const gradients = await compile({
    inputs: [...inputs, weights],
    outputs: grad(cost, wrt, { disconnectedInputs: 'zero' }),
    engine: 'reference',
    onUnusedInput: 'ignore',
  });
  const shape = (await evaluate('reference', build, values)).shape;
  const weighting = array(
    'float64',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, at) => Math.cos(at * 1.7 + 0.3)),
  );
  const analytic = await gradients.run([...values, weighting]);

  let which = 0;
  for (const [position, value] of values.entries()) {
    if (value.dtype !== 'float64') continue;
    const numeric: number[] = [];
    for (let element = 0; element < value.data.length; element += 1) {
      const at = async (shift: number): Promise<number> => {
        const moved = ndarray(value.dtype, value.shape, value.data.slice());
        moved.data[element] = Number(value.data[element]) + shift;
        const [result] = await costs.run([...values.with(position, moved), weighting]);
        return Number(present(result).data[0]);
      };
      numeric.push(((await at(step)) - (await at(-step))) / (2 * step));
    }
    expectClose(present(analytic[which]), array('float64', value.shape, numeric), options.tolerance ?? 1e-6);
    which += 1;
  }
}

/** Equal dtype and shape, NaN and infinities in the same places, and values within `tolerance`, relative above 1. */
export function expectClose(actual: NdArray, expected: NdArray, tolerance?: number, engine = 'the engine'): void {
  expect(actual.dtype).toBe(expected.dtype);
  expect(actual.shape).toEqual(expected.shape);
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
