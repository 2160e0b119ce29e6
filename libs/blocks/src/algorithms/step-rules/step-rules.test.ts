import { ndarray } from '@longrun/serialization';
import { compile, shared, vector, type SharedVariable, type Variable } from '@longrun/tensor';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { GradientDescent } from '../gradient-descent.js';
import { AdaDelta } from './ada-delta.js';
import { AdaGrad } from './ada-grad.js';
import { AdamW, AMSGrad } from './adam-w.js';
import { Adam } from './adam.js';
import { CompositeRule } from './composite-rule.js';
import { GradientAccumulation } from './gradient-accumulation.js';
import { GradualFreezing } from './gradual-freezing.js';
import { Lion } from './lion.js';
import { Lookahead } from './lookahead.js';
import { Momentum, NesterovMomentum } from './momentum.js';
import { RMSProp } from './rms-prop.js';
import { Scale } from './scale.js';
import { cosineDecay, Schedule } from './schedule.js';
import type { StepRule } from './step-rule.js';

/** Of each element alone. */
const ELEMENTWISE: readonly (readonly [string, (parameters: readonly SharedVariable[]) => StepRule])[] = [
  ['Scale', () => new Scale({ learningRate: 0.3 })],
  ['Momentum', () => new Momentum({ learningRate: 0.3, momentum: 0.9 })],
  ['NesterovMomentum', () => new NesterovMomentum({ learningRate: 0.3, momentum: 0.9 })],
  ['Adam', () => new Adam({ learningRate: 0.3 })],
  ['AMSGrad', () => new AMSGrad({ learningRate: 0.3 })],
  ['AdamW', () => new AdamW({ learningRate: 0.3, weightDecay: 0.1 })],
  ['AdaGrad', () => new AdaGrad({ learningRate: 0.3 })],
  ['AdaDelta', () => new AdaDelta({ epsilon: 1e-2 })],
  ['RMSProp', () => new RMSProp({ learningRate: 0.3 })],
  ['Lion', () => new Lion({ learningRate: 0.3 })],
  ['Lookahead', () => new Lookahead(new Adam({ learningRate: 0.3 }), { every: 2 })],
  ['GradientAccumulation', () => new GradientAccumulation(new Adam({ learningRate: 0.3 }), { every: 2 })],
  ['Schedule', () => new CompositeRule([new Scale({ learningRate: 0.3 }), new Schedule(cosineDecay(5))])],
  ['GradualFreezing', (parameters) => new GradualFreezing(new Adam(), [{ parameters, from: 1, until: 2 }])],
];

/** What parameters are after steps of some gradients: rows of as many numbers as they have together. */
async function trained(
  rule: (parameters: readonly SharedVariable[]) => StepRule,
  starts: readonly (readonly number[])[],
  gradients: readonly (readonly number[])[],
): Promise<number[]> {
  const array = (values: readonly number[]) => ndarray('float64', [values.length], Float64Array.from(values));
  const parameters = starts.map((start, at) => shared(array(start), `w${at}`));
  const inputs = starts.map((_, at) => vector(`g${at}`, 'float64'));
  const given = new Map(
    parameters.map((parameter, at): [SharedVariable, Variable] => [parameter, inputs[at] ?? parameter]),
  );
  const { updates } = new GradientDescent({ gradients: given, stepRule: rule(parameters) });
  const f = await compile({ inputs, outputs: [], updates, engine: 'reference', threads: 1 });
  for (const row of gradients) {
    let from = 0;
    await f.run(starts.map(({ length }) => array(row.slice(from, (from += length)))));
  }
  await f.dispose();
  const values = await Promise.all(parameters.map((parameter) => parameter.getValue()));
  return values.flatMap(({ data }) => Array.from(data, Number));
}

const number = fc.double({ min: -10, max: 10, noNaN: true });
const row = fc.array(number, { minLength: 5, maxLength: 5 });
const rows = fc.array(row, { minLength: 3, maxLength: 3 });

test.each(ELEMENTWISE)(
  '%s gives each element what it would give it alone, so that a parameter can be cut in two, and turns around where gradients do',
  async (name, rule) => {
    const negative = (values: readonly number[]): number[] => values.map((value) => 0 - value);
    await fc.assert(
      fc.asyncProperty(row, rows, fc.integer({ min: 1, max: 4 }), async (start, gradients, cut) => {
        const whole = await trained(rule, [start], gradients);
        expect(await trained(rule, [start.slice(0, cut), start.slice(cut)], gradients)).toEqual(whole);
        const turned = await trained(rule, [negative(start)], gradients.map(negative));
        expect(negative(turned)).toEqual(negative(negative(whole)));
      }),
      { numRuns: 2, seed: name.length },
    );
  },
);
