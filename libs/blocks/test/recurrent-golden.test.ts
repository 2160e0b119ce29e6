import { readFileSync } from 'node:fs';

import type { NdArray } from '@longrun/serialization';
import { add, at, compile, constant, grad, mul, slice, sum, tensor, type Variable } from '@longrun/tensor';
import { expect, test } from 'vitest';
import { z } from 'zod';

import {
  Bidirectional,
  ComputationGraph,
  GatedRecurrent,
  LSTM,
  RecurrentStack,
  SimpleRecurrent,
  Tanh,
  type BaseRecurrent,
  type NamedVariables,
} from '../src/index.js';
import { expectGolden, setParameters } from './golden-brick.js';
import { float32 } from './tiny-experiment.js';

const Arrays = z.record(z.string(), z.array(z.number()));
const Network = z.object({
  parameters: Arrays,
  shapes: Arrays,
  sequences: Arrays,
  mask: z.array(z.number()),
  cases: z.record(z.string(), z.object({ outputs: Arrays, gradients: Arrays })),
});
const golden = z
  .object({
    time: z.number(),
    batch: z.number(),
    dim: z.number(),
    simple: Network,
    lstm: Network,
    gated: Network,
    stack: z.object({
      parameters: Arrays,
      shapes: Arrays,
      sequences: Arrays,
      mask: z.array(z.number()),
      plain: Arrays,
      skip: Arrays,
      plainGradients: Arrays,
      skipGradients: Arrays,
    }),
    bidirectional: z.object({
      parameters: Arrays,
      shapes: Arrays,
      sequences: Arrays,
      mask: z.array(z.number()),
      outputs: Arrays,
      gradients: Arrays,
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('./goldens/recurrent.json', import.meta.url), 'utf8')));
const { time, batch, dim } = golden;

const BRICKS = {
  simple: () => new SimpleRecurrent({ dim, activation: new Tanh() }),
  lstm: () => new LSTM({ dim }),
  gated: () => new GatedRecurrent({ dim }),
} as const;

/** 1.9-41 simple, 1.9-42 lstm, 1.9-43 gated. */
test.each(
  (['simple', 'lstm', 'gated'] as const).flatMap((name) =>
    (['onnxruntime', 'reference'] as const).map((engine) => [name, engine] as const),
  ),
)('%s: outputs and gradients, masked, backwards and both, are those of PyTorch on %s', async (name, engine) => {
  const { parameters, shapes, sequences, mask, cases } = golden[name];
  const brick: BaseRecurrent = BRICKS[name]();
  brick.allocate();
  expect(new Set(brick.parameters.map((parameter) => parameter.name))).toEqual(new Set(Object.keys(parameters)));
  for (const [path, values] of Object.entries(parameters)) {
    brick.parameterNamed(path).setValue(float32(shapes[path] ?? [], values));
  }
  const rows = Object.keys(sequences).map((source) => {
    const width = (sequences[source]?.length ?? 0) / (time * batch);
    return [source, tensor(source, 'float32', ['time', 'batch', width])] as const;
  });
  const maskVariable = tensor('mask', 'float32', ['time', 'batch']);
  const outputs: Variable[] = [];
  const expected: (readonly number[] | undefined)[] = [];
  for (const [kind, { outputs: values, gradients }] of Object.entries(cases)) {
    // What is the same in all cases need not be lowered four times.
    if (engine === 'onnxruntime' && kind !== 'both') continue;
    const isMasked = kind === 'masked' || kind === 'both';
    const given = { ...Object.fromEntries(rows), ...(isMasked ? { mask: maskVariable } : {}) };
    const reverse = kind === 'reverse' || kind === 'both';
    const states = brick.application('apply').callAsRecord([given, { reverse }]);
    expect(Object.keys(states)).toEqual(Object.keys(values));
    const leaves = [...brick.parameters, ...rows.map(([, row]) => row)];
    outputs.push(...Object.values(states), ...grad(weighted(states), leaves));
    expected.push(...Object.values(values), ...leaves.map((leaf) => gradients[leaf.toString()]));
  }
  const compiled = await compile({
    inputs: [...rows.map(([, row]) => row), maskVariable],
    outputs,
    engine,
    threads: 1,
  });
  const computed = await compiled.run([
    ...rows.map(([source, row]) => float32([time, batch, Number(row.shape[2])], sequences[source] ?? [])),
    float32([time, batch], mask),
  ]);

  for (const [position, values] of expected.entries()) close(at(computed, position), values ?? []);
});

test('Bidirectional gives what PyTorch gives in both directions, side by side, with its gradients (1.9-49)', async () => {
  const { parameters, shapes, sequences, mask, outputs, gradients } = golden.bidirectional;
  const brick = new Bidirectional({ prototype: BRICKS.gated() });
  const byPath = setParameters(brick, { values: parameters, shapes });
  const inputs = tensor('inputs', 'float32', ['time', 'batch', dim]);
  const gates = tensor('gate_inputs', 'float32', ['time', 'batch', 2 * dim]);
  const states = brick.apply({ inputs, gate_inputs: gates, mask: constant(float32([time, batch], mask)) });
  const given = [inputs, gates].map((variable) => {
    const values = sequences[variable.toString()] ?? [];
    return [variable, float32([time, batch, values.length / time / batch], values)] as const;
  });
  const leaves = { ...Object.fromEntries(byPath), inputs, gate_inputs: gates };

  await expectGolden({ outputs, gradients }, states, leaves, given, 'reference');
});

test.each([
  ['one scan a level', {}],
  ['one scan for all levels', { lowMemory: true }],
])(
  'RecurrentStack gives what PyTorch gives, with its gradients, with and without skip connections, by %s (1.9-50)',
  async (_, options) => {
    const { parameters, shapes, sequences, mask, plain, skip, plainGradients, skipGradients } = golden.stack;
    for (const [skipConnections, outputs, gradients] of [
      [false, plain, plainGradients] as const,
      [true, skip, skipGradients] as const,
    ]) {
      const stack = new RecurrentStack({
        transitions: [
          new SimpleRecurrent({ name: 'first', dim, activation: new Tanh() }),
          new GatedRecurrent({ name: 'second', dim }),
        ],
        skipConnections,
      });
      const byPath = setParameters(stack, { values: parameters, shapes });
      const given = Object.entries(sequences)
        .filter(([name]) => skipConnections || name === 'inputs')
        .map(([name, values]) => {
          const width = values.length / time / batch;
          return [tensor(name, 'float32', ['time', 'batch', width]), float32([time, batch, width], values)] as const;
        });
      const inputs = Object.fromEntries(given.map(([variable]) => [variable.toString(), variable]));
      const all = { ...inputs, mask: constant(float32([time, batch], mask)) };
      const whole = stack.apply(all, { ...options, returnInitialStates: true });
      const states = Object.fromEntries(Object.entries(whole).map(([name, rows]) => [name, slice(rows, 1, null)]));
      expect(new ComputationGraph(Object.values(whole)).scans).toHaveLength('lowMemory' in options ? 1 : 2);
      const leaves = { ...Object.fromEntries(byPath), ...inputs };
      await expectGolden({ outputs, gradients }, states, leaves, given, 'reference');
    }
  },
);

/** The cost of the goldens: all outputs, each element with a weight of its own. */
function weighted(states: NamedVariables): Variable {
  const weights = Array.from({ length: time * batch * dim }, (_, position) => position / 10 - 1);
  const shaped = constant(float32([time, batch, dim], weights));
  return Object.values(states)
    .map((state) => sum(mul(shaped, state)))
    .reduce((total, one) => add(total, one));
}

/** Within float32 rounding of float64 results of the size of 1. */
function close(actual: NdArray, expected: readonly number[]): void {
  const values = Array.from<number | bigint, number>(actual.data, Number);
  expect(values).toHaveLength(expected.length);
  for (const [position, value] of values.entries()) {
    expect(Math.abs(value - at(expected, position))).toBeLessThan(2e-6 * Math.max(1, Math.abs(at(expected, position))));
  }
}
