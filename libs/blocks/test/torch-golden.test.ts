import { readFileSync } from 'node:fs';

import { RandomStreams, type NdArray } from '@longrun/serialization';
import { compile, lvector, matrix, mean, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import {
  Adam,
  CategoricalCrossEntropy,
  Constant,
  GradientDescent,
  MisclassificationRate,
  MLP,
  Model,
  Momentum,
  Rectifier,
  Scale,
  Softmax,
  Tanh,
  type StepRule,
} from '../src/index.js';
import { float32, int64 } from './tiny-experiment.js';

const Arrays = z.record(z.string(), z.array(z.number()));
const golden = z
  .object({
    dims: z.array(z.number()),
    features: z.array(z.number()),
    targets: z.array(z.number()),
    parameters: Arrays,
    probabilities: z.array(z.number()),
    costs: z.array(z.number()),
    cost: z.number(),
    misclassificationRate: z.number(),
    gradients: Arrays,
    gradientNorm: z.number(),
    sgd: Arrays,
    momentum: Arrays,
    adam: Arrays,
  })
  .parse(JSON.parse(readFileSync(new URL('./goldens/mlp.json', import.meta.url), 'utf8')));

const features = float32([7, 4], golden.features);
const targets = int64(golden.targets);
const batch = { columns: new Map<string, NdArray>(Object.entries({ features, targets })) };

describe.each(['onnxruntime', 'reference'] as const)('on %s, as in PyTorch:', (engine) => {
  test('the costs and the probabilities of an MLP', async () => {
    const { logits, labels, cost } = build();
    const softmax = new Softmax();
    const probabilities = softmax.apply(logits);
    const names = { cost, costs: softmax.categoricalCrossEntropy(labels, logits), probabilities };
    const others = {
      crossEntropy: new CategoricalCrossEntropy().apply(labels, probabilities),
      misclassificationRate: new MisclassificationRate().apply(labels, logits),
    };
    const values = await evaluated({ ...names, ...others }, engine);

    close(values.get('cost'), [golden.cost]);
    close(values.get('costs'), golden.costs);
    close(values.get('probabilities'), golden.probabilities);
    close(values.get('crossEntropy'), [golden.cost]);
    close(values.get('misclassificationRate'), [golden.misclassificationRate]);
  });

  test('the gradients, and their norm', async () => {
    const { model, cost } = build();
    const algorithm = new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0.1 }) });
    const gradients = [...algorithm.gradients].map(([parameter, gradient]) => [
      model.pathOf(parameter) ?? '',
      gradient,
    ]);
    const values = await evaluated(
      { ...Object.fromEntries(gradients), norm: algorithm.totalGradientNorm, stepNorm: algorithm.totalStepNorm },
      engine,
    );

    for (const [path, expected] of Object.entries(golden.gradients)) close(values.get(path), expected);
    close(values.get('norm'), [golden.gradientNorm]);
    close(values.get('stepNorm'), [0.1 * golden.gradientNorm]);
  });

  test.each([
    ['sgd', (): StepRule => new Scale({ learningRate: 0.1 }), 1],
    ['momentum', (): StepRule => new Momentum({ learningRate: 0.1, momentum: 0.9 }), 4],
    ['adam', (): StepRule => new Adam({ learningRate: 0.01, beta1: 0.8, beta2: 0.95 }), 4],
  ] as const)('the parameters after steps of %s', async (name, makeRule, steps) => {
    const { model, cost } = build();
    const algorithm = new GradientDescent({ cost, stepRule: makeRule() });
    await algorithm.initialize({ engine, threads: 1 });
    for (let step = 0; step < steps; step += 1) await algorithm.processBatch(batch);

    const parameters = await model.getParameterValues();
    expect([...parameters.keys()].toSorted()).toEqual(Object.keys(golden[name]).toSorted());
    for (const [path, expected] of Object.entries(golden[name])) close(parameters.get(path), expected);
  });
});

function build(): { model: Model; logits: Variable; labels: Variable; cost: Variable } {
  const mlp = new MLP([new Rectifier(), new Tanh(), null], {
    dims: golden.dims,
    weightsInit: new Constant(0),
    biasesInit: new Constant(0),
  });
  mlp.initialize(new RandomStreams(1));
  const labels = lvector('targets');
  const logits = mlp.apply(matrix('features'));
  const cost = mean(new Softmax({ name: 'cost' }).categoricalCrossEntropy(labels, logits));
  const model = new Model(cost);
  const parameters = [...model.getParameterDict()].map(([path, parameter]) => {
    const { shape } = parameter.valueType;
    return [path, float32(shape, golden.parameters[path] ?? [])] as const;
  });
  expect(model.setParameterValues(new Map(parameters))).toEqual({ unknown: [], missing: [] });
  return { model, logits, labels, cost };
}

async function evaluated(
  outputs: Readonly<Record<string, Variable>>,
  engine: string,
): Promise<Map<string, NdArray | undefined>> {
  const inputs = new Model(Object.values(outputs)).inputsByName();
  const compiled = await compile({ inputs: [...inputs.values()], outputs: Object.values(outputs), engine, threads: 1 });
  const values = await compiled.run([...inputs.keys()].map((name) => batch.columns.get(name) ?? features));
  return new Map(Object.keys(outputs).map((name, at) => [name, values[at]]));
}

/** Within float32 rounding of float64 results of the size of 1. */
function close(actual: NdArray | undefined, expected: readonly number[]): void {
  const values = Array.from<number | bigint, number>(actual?.data ?? [], Number);
  expect(values).toHaveLength(expected.length);
  for (const [at, value] of values.entries()) expect(Math.abs(value - (expected[at] ?? Number.NaN))).toBeLessThan(2e-6);
}
