import type { Batch } from '@longrun/fuel';
import { ndarray, type NdArray } from '@longrun/serialization';
import {
  at,
  compile,
  engineNamed,
  registerEngine,
  shared,
  sub,
  tensor,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';
import { expect, onTestFinished, test } from 'vitest';

import { addRole, PARAMETER } from '../../roles.js';
import { AdaDelta } from './ada-delta.js';
import { AdaGrad } from './ada-grad.js';
import { Adam } from './adam.js';
import { AdamW, AMSGrad } from './adam-w.js';
import { CompositeRule } from './composite-rule.js';
import { GradientDescent } from '../gradient-descent.js';
import { BasicMomentum, Momentum, NesterovMomentum } from './momentum.js';
import { RMSProp } from './rms-prop.js';
import { Scale } from './scale.js';
import { cosineDecay, Schedule } from './schedule.js';
import type { StepRule } from './step-rule.js';

const SHAPES = [[1], [3], [4], [5], [13, 79]] as const;
const STEPS = 4;
const SPECIAL = [0, -0, 1, -2.5, Number.NaN, Infinity, -Infinity, 1e-45, -6e-39, 1e-20, 3e38, 0.1];

/** Values of all kinds, others for each seed. */
function elements(shape: readonly number[], seed: number): NdArray<'float32'> {
  const value = ndarray('float32', shape);
  value.data.forEach((_, position) => {
    const turn = position * 7 + seed * 5;
    value.data[position] = turn % 3 === 0 ? at(SPECIAL, turn % SPECIAL.length) : Math.sin(turn);
  });
  return value;
}

/** All that some steps by a rule write, and what they tell of themselves, as bits, of which all NaN are one. */
async function trained(rule: StepRule, engine: string): Promise<Map<string, Uint32Array>> {
  const gradients = new Map<SharedVariable, Variable>();
  for (const [position, shape] of SHAPES.entries()) {
    const parameter = shared(elements(shape, position), `W${position}`);
    addRole(parameter, PARAMETER);
    gradients.set(parameter, tensor(`g${position}`, 'float32', shape));
  }
  const algorithm = new GradientDescent({ gradients, stepRule: rule });
  const observed = [algorithm.totalStepNorm, ...algorithm.steps.values()];
  algorithm.observe(observed);
  await algorithm.initialize({ engine });
  const bits = new Map<string, Uint32Array>();
  const note = (name: string, { data }: NdArray): void => {
    const floats = Float32Array.from(data as Float32Array, (value) => (Number.isNaN(value) ? Number.NaN : value));
    bits.set(name, new Uint32Array(floats.buffer));
  };
  for (let step = 0; step < STEPS; step += 1) {
    const arrays = SHAPES.map((shape, position) => [`g${position}`, elements(shape, 10 * step + position)] as const);
    const batch: Batch = { columns: new Map(arrays) };
    await algorithm.processBatch(batch);
    for (const [position, variable] of observed.entries()) {
      note(`observed ${position} at ${step}`, algorithm.observed(variable));
    }
  }
  for (const [position, variable] of algorithm.sharedVariables.entries()) {
    note(`${position} ${variable.name}`, await variable.getValue());
  }
  return bits;
}

const RULES: readonly [string, () => StepRule][] = [
  ['Scale', () => new Scale({ learningRate: 0.1 })],
  ['BasicMomentum', () => new BasicMomentum({ momentum: 0.9 })],
  ['Momentum', () => new Momentum({ learningRate: 0.1, momentum: 0.9 })],
  ['NesterovMomentum', () => new NesterovMomentum({ learningRate: 0.1, momentum: 0.9 })],
  ['Adam', () => new Adam()],
  ['AdamW', () => new AdamW()],
  ['AMSGrad', () => new AMSGrad()],
  ['AdaDelta', () => new AdaDelta()],
  ['AdaGrad', () => new AdaGrad()],
  ['RMSProp', () => new RMSProp()],
  ['Schedule', () => new Schedule(cosineDecay(10))],
  [
    'CompositeRule',
    () => new CompositeRule([new Momentum({ momentum: 0.5 }), new Adam({ decayFactor: 0.9 }), new Scale()]),
  ],
];

test.each(RULES)('the steps of %s are fused, with the bits that they have without', async (_, rule) => {
  const gradients = new Map(SHAPES.map((shape) => [shared(ndarray('float32', shape)), tensor('g', 'float32', shape)]));
  const { steps, updates } = rule().computeSteps(gradients);
  const all = [...updates, ...[...steps].map(([parameter, step]) => [parameter, sub(parameter, step)] as const)];
  const f = await compile({ inputs: [...gradients.values()], outputs: [], updates: all });
  const left = f.explain().unfused.map(({ output }) => output);
  expect(left.filter((output) => !output.includes('float64 ()'))).toEqual([]);
  expect(f.explain().fused).toHaveLength(SHAPES.length);

  const { fusion: _fusion, ...engine } = engineNamed('onnxruntime');
  onTestFinished(registerEngine({ ...engine, name: 'unfused' }));
  const fused = await trained(rule(), 'onnxruntime');
  expect(fused).toEqual(await trained(rule(), 'unfused'));
  expect(fused.size).toBeGreaterThan(STEPS * (1 + SHAPES.length) + SHAPES.length);
});
