import type { NdArray } from '@longrun/serialization';
import {
  add,
  at,
  compile,
  constant,
  dimension,
  grad,
  mul,
  reshape,
  sub,
  sum,
  tensor,
  arange,
  cast,
  div,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';
import { expect } from 'vitest';
import { z } from 'zod';

import { Selector, type Brick, type NamedVariables } from '../src/index.js';
import { float32 } from './tiny-experiment.js';

const Numbers = z.array(z.number());

/** Arrays of a golden by name: their elements, and their shapes. */
export const GoldenArrays = z.object({ values: z.record(z.string(), Numbers), shapes: z.record(z.string(), Numbers) });
export type GoldenArrays = z.infer<typeof GoldenArrays>;

/** What came out, and the gradients of {@link weighted} of it. */
export const GoldenCase = z.object({
  outputs: z.record(z.string(), Numbers),
  gradients: z.record(z.string(), Numbers),
});
export type GoldenCase = z.infer<typeof GoldenCase>;

/** Gives a brick the parameters of a golden, all of them, by their paths. */
export function setParameters(brick: Brick, { values, shapes }: GoldenArrays): ReadonlyMap<string, SharedVariable> {
  brick.allocate();
  const parameters = new Selector([brick]).getParameters();
  expect([...parameters.keys()].toSorted()).toEqual(Object.keys(values).toSorted());
  for (const [path, parameter] of parameters) parameter.setValue(float32(shapes[path] ?? [], values[path] ?? []));
  return parameters;
}

/** Inputs of a golden, as variables whose sizes only the data tell but for the last. */
export function inputsOfGolden({ shapes }: GoldenArrays): NamedVariables {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      tensor(
        name,
        'float32',
        shape.map((size, axis) => (axis === shape.length - 1 ? size : null)),
      ),
    ]),
  );
}

/** Outputs and gradients are those of the golden: within float32 rounding of float64 results of the size of 1. */
export async function expectGolden(
  golden: GoldenCase,
  outputs: NamedVariables,
  leaves: NamedVariables,
  given: readonly (readonly [Variable, NdArray])[],
  engine: string,
): Promise<void> {
  const names = Object.keys(golden.outputs);
  const wanted = Object.keys(golden.gradients);
  expect(Object.keys(outputs).toSorted()).toEqual(names.toSorted());
  const found = names.map((name) => outputs[name] ?? constant(0));
  const wrt = wanted.map((name) => leaves[name] ?? constant(0));
  const f = await compile({
    inputs: given.map(([variable]) => variable),
    outputs: [...found, ...grad(weighted(found), wrt)],
    engine,
    threads: 1,
  });
  const results = await f.run(given.map(([, array]) => array));
  await f.dispose();
  const expected = [...Object.values(golden.outputs), ...Object.values(golden.gradients)];
  for (const [position, values] of expected.entries()) {
    expectClose(at(results, position), values, at([...names, ...wanted], position));
  }
}

/** The cost of the goldens: all outputs, each element of an array with a weight of its own. */
function weighted(outputs: readonly Variable[]): Variable {
  const costs = outputs.map((output) => {
    if (output.ndim === 0) return output;
    const sizes = output.shape.map((_, axis) => dimension(output, axis));
    const count = sizes.reduce((total, size) => mul(total, size));
    const weights = sub(div(cast(arange(0, count), 'float32'), 10), 1);
    return sum(mul(reshape(weights, sizes), output));
  });
  return costs.reduce((total, cost) => add(total, cost));
}

function expectClose({ data }: NdArray, expected: readonly number[], what: string): void {
  const worst = Math.max(
    ...expected.map((value, place) => Math.abs(Number(data[place]) - value) / Math.max(1, Math.abs(value))),
  );
  expect([what, data.length, worst < 3e-6 ? 'close' : worst]).toEqual([what, expected.length, 'close']);
}
