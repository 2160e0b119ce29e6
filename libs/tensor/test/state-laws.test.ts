import { ndarray, type NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  add,
  compile,
  constant,
  mul,
  pick,
  shared,
  sum,
  tensor,
  type CompiledFunction,
  type ComputeOptions,
  type SharedVariable,
  type StoredValue,
} from '../src/index.js';
import { array } from './op-laws.js';

/** So many that ONNX Runtime leaves updates to kernels. */
const SIZE = 1100;

function filled(value: number): NdArray {
  return ndarray('float32', [SIZE], new Float32Array(SIZE).fill(value));
}

/** The value of an array all of whose elements are equal. */
function elementOf({ shape, data }: NdArray): number {
  expect([shape, data.length, new Set<unknown>(data).size]).toEqual([[SIZE], SIZE, 1]);
  return Number(data[0]);
}

/** Two shared variables, and functions that share them. */
interface Sharing {
  readonly variables: readonly [SharedVariable, SharedVariable];
  /** Returns a + b and b, and exchanges them. */
  readonly swap: CompiledFunction;
  /** Returns 2 a twice and a, and doubles a. */
  readonly double: CompiledFunction;
  /** Returns a, b and a. */
  readonly read: CompiledFunction;
  /** Fails before it would update both. */
  readonly fail: CompiledFunction;
}

async function sharing(target: ComputeOptions): Promise<Sharing> {
  const [a, b] = [shared(filled(0), 'a'), shared(filled(0), 'b')];
  const labels = tensor('labels', 'int64', [1]);
  const picked = sum(pick(constant(ndarray('float32', [1, 3])), labels));
  const doubled = mul(a, 2);
  const exchange = [[a, b] as const, [b, a] as const];
  const failing = [[a, add(a, picked)] as const, [b, add(a, b)] as const];
  return {
    variables: [a, b],
    swap: await compile({ inputs: [], outputs: [add(a, b), b], updates: exchange, ...target }),
    double: await compile({ inputs: [], outputs: [doubled, doubled, a], updates: [[a, doubled]], ...target }),
    read: await compile({ inputs: [], outputs: [a, b, a], ...target }),
    fail: await compile({ inputs: [labels], outputs: [], updates: failing, ...target }),
  };
}

/** What is there: the values of a and b, and the handles taken so far, with what they were taken of. */
interface Model {
  values: [number, number];
  readonly pinned: { readonly handle: StoredValue; readonly value: number }[];
}

type Action = (functions: Sharing, model: Model) => Promise<void>;

async function outputsOf(run: Promise<NdArray[]>): Promise<number[]> {
  const outputs = await run;
  const found = outputs.map(elementOf);
  // They are the caller's, who may write to them.
  for (const { data } of outputs) data.fill(-1 as never);
  return found;
}

const WHICH = fc.constantFrom(0 as const, 1 as const);

const ACTIONS: fc.Arbitrary<Action> = fc.oneof(
  fc.constant<Action>(async ({ swap }, model) => {
    const [a, b] = model.values;
    expect(await outputsOf(swap.run([]))).toEqual([a + b, b]);
    model.values = [b, a];
  }),
  fc.constant<Action>(async ({ double, variables }, model) => {
    const [a, b] = model.values;
    const run = double.run([]);
    const during = variables[0].getValue();
    model.pinned.push({ handle: variables[0].pin(), value: a });
    expect(await outputsOf(run)).toEqual([2 * a, 2 * a, a]);
    expect(elementOf(await during)).toBe(a);
    model.values = [2 * a, b];
  }),
  fc
    .tuple(WHICH, fc.integer({ min: -9, max: 9 }))
    .map<Action>(([which, value]) => async ({ read, variables }, model) => {
      const [a, b] = model.values;
      const run = read.run([]);
      variables[which].setValue(filled(value));
      model.values[which] = value;
      expect(await outputsOf(run)).toEqual([a, b, a]);
    }),
  fc.constant<Action>(async ({ fail }) => {
    await expect(fail.run([array('int64', [1], [7])])).rejects.toThrow(/pick/);
  }),
  WHICH.map<Action>((which) => async ({ variables }, model) => {
    model.pinned.push({ handle: variables[which].pin(), value: model.values[which] });
  }),
  fc.tuple(WHICH, fc.nat()).map<Action>(([which, at]) => async ({ variables }, model) => {
    const pin = model.pinned[at % model.pinned.length];
    if (pin === undefined) return;
    variables[which].setValue(pin.handle);
    model.values[which] = pin.value;
  }),
  fc.nat().map<Action>((at) => async (_, model) => {
    const [pin] = model.pinned.splice(at % model.pinned.length, 1);
    if (pin === undefined) return;
    expect(elementOf(await pin.handle.read())).toBe(pin.value);
    pin.handle.release();
  }),
);

test.each<ComputeOptions>([{ engine: 'reference' }, { engine: 'onnxruntime' }, { engine: 'tfjs', provider: 'cpu' }])(
  'whatever functions and callers do with shared variables, each sees the values of its moment: $engine',
  async (target) => {
    const functions = await sharing(target);
    const { variables } = functions;
    await fc.assert(
      fc.asyncProperty(fc.array(ACTIONS, { maxLength: 20 }), async (actions) => {
        for (const variable of variables) variable.setValue(filled(1));
        const model: Model = { values: [1, 1], pinned: [] };
        for (const action of actions) {
          await action(functions, model);
          const values = await Promise.all(variables.map((variable) => variable.getValue()));
          expect(values.map(elementOf)).toEqual(model.values);
        }
        for (const { handle, value } of model.pinned) {
          expect(elementOf(await handle.read())).toBe(value);
          handle.release();
        }
        // The variables have the only handles that are left.
        const last = variables.map((variable) => variable.pin());
        for (const value of last) value.release();
        for (const variable of variables) variable.setValue(filled(0));
        for (const value of last) expect(() => value.release()).toThrow('after its last handle was released');
      }),
      { numRuns: 150 },
    );
  },
);
