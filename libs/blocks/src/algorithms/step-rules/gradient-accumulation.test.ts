import { ndarray } from '@longrun/serialization';
import { compile, scalar, shared } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { GradientDescent } from '../gradient-descent.js';
import { Adam } from './adam.js';
import { CompositeRule } from './composite-rule.js';
import { GradientAccumulation } from './gradient-accumulation.js';
import { RemoveNotFinite } from './remove-not-finite.js';
import { Scale } from './scale.js';
import type { StepRule } from './step-rule.js';

const number = (value: number) => ndarray('float64', [], Float64Array.of(value));

/** What a parameter is after each batch, of which the gradients are given. */
async function trained(rule: StepRule, gradients: readonly number[]): Promise<number[]> {
  const parameter = shared(number(0), 'w');
  const gradient = scalar('gradient', 'float64');
  const { updates } = new GradientDescent({ gradients: new Map([[parameter, gradient]]), stepRule: rule });
  const f = await compile({ inputs: [gradient], outputs: [], updates, engine: 'reference', threads: 1 });
  const values: number[] = [];
  for (const value of gradients) {
    await f.run([number(value)]);
    values.push(Number((await parameter.getValue()).data[0]));
  }
  await f.dispose();
  return values;
}

const gradients = [1, 3, Number.NaN, 5, 2, 4];

test('a gradient that is not finite reaches nothing between two steps, is left out with its own step, and does not outlive it', async () => {
  const rule = new CompositeRule([new RemoveNotFinite(), new Scale()]);
  expect(await trained(new GradientAccumulation(rule, { every: 2 }), gradients)).toEqual([0, -2, -2, -2, -2, -5]);
});

test('it does not reach what the rule remembers, either', async () => {
  const rule = (): StepRule => new CompositeRule([new RemoveNotFinite(), new Adam({ learningRate: 0.5 })]);
  const values = await trained(new GradientAccumulation(rule(), { every: 2 }), gradients);
  // As of the means of two, that of the second pair being none.
  const [first, second, third] = await trained(rule(), [2, 0, 3]);
  expect(values).toEqual([0, first, first, second, second, third]);
});

test('where nothing removes it, it shows in the parameter at the step that is due, and not before', async () => {
  const values = await trained(new GradientAccumulation(new Scale(), { every: 3 }), [1, Number.NaN, 2, 1]);
  expect(values).toEqual([0, 0, Number.NaN, Number.NaN]);
});
