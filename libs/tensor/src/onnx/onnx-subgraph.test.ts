import type { NdArray } from '@longrun/serialization';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';

import type { TensorType } from '../index.js';
import { array, present } from '../../test/op-laws.js';
import { OnnxModel } from './onnx-model.js';

const VECTOR: TensorType = { dtype: 'float32', shape: [null] };
const SCALAR: TensorType = { dtype: 'float32', shape: [] };

async function runModel(
  model: OnnxModel,
  outputs: readonly string[],
  inputs: Readonly<Record<string, NdArray>>,
): Promise<number[][]> {
  const session = await InferenceSession.create(model.encode(), { logSeverityLevel: 4 });
  const feeds = Object.entries(inputs).map(([name, value]) => [name, new Tensor(value.dtype, value.data, value.shape)]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return outputs.map((name) => Array.from(present(results[name]).data as Float32Array, Number));
}

test('graphs within nodes use values and initializers of the graph around them, and names stay apart', async () => {
  const model = new OnnxModel('branches');
  const [x, condition] = [model.input('x', VECTOR), model.input('condition', { dtype: 'bool', shape: [] })];
  const doubled = model.add('Mul', [x, model.scalar(2, 'float32')]);
  const branch = (opType: string): ReturnType<OnnxModel['subgraph']> =>
    model.subgraph([], (graph) => {
      const result = graph.add(opType, [doubled, graph.scalar(2, 'float32')]);
      return [
        { name: result, type: VECTOR },
        { name: result, type: VECTOR },
        { name: doubled, type: VECTOR },
      ];
    });
  const attributes = { then_branch: { graph: branch('Add') }, else_branch: { graph: branch('Sub') } };
  const outputs = model.addMany('If', [condition], 3, attributes).map((name) => model.output(name, VECTOR));
  const feeds = (yes: number): Record<string, NdArray> => ({
    x: array('float32', [2], [1, 10]),
    condition: array('bool', [], [yes]),
  });
  expect(await runModel(model, outputs, feeds(1))).toEqual([
    [4, 22],
    [4, 22],
    [2, 20],
  ]);
  expect((await runModel(model, outputs, feeds(0)))[0]).toEqual([0, 18]);
});

test('a scan carries state, reads a sequence and writes one', async () => {
  const model = new OnnxModel('sums');
  const [start, sequence] = [model.input('start', SCALAR), model.input('sequence', VECTOR)];
  const body = model.subgraph([SCALAR, SCALAR], (graph, [state, element]) => {
    const next = graph.add('Add', [present(state), present(element)]);
    return [
      { name: next, type: SCALAR },
      { name: next, type: SCALAR },
    ];
  });
  const outputs = model
    .addMany('Scan', [start, sequence], 2, {
      body: { graph: body },
      num_scan_inputs: { int: 1 },
      scan_input_directions: { ints: [1] },
    })
    .map((name, at) => model.output(name, at === 0 ? SCALAR : VECTOR));
  const feeds = { start: array('float32', [], [100]), sequence: array('float32', [3], [1, 2, 3]) };
  expect(await runModel(model, outputs, feeds)).toEqual([[106], [103, 105, 106]]);
});

test('attributes may be floats, texts and arrays', async () => {
  const model = new OnnxModel('attributes');
  const x = model.input('x', VECTOR);
  const leaky = model.add('LeakyRelu', [x], { alpha: { float: 0.25 } });
  const gelu = model.add('Gelu', [leaky], { approximate: { string: 'tanh' } });
  const offset = model.add('Constant', [], { value: { tensor: array('float32', [2], [10, 20]) } });
  const weights = model.add('Constant', [], { value_floats: { floats: [0.5, 2] } });
  const result = model.output(model.add('Mul', [model.add('Add', [gelu, offset]), weights]), VECTOR);
  const [values] = await runModel(model, [result], { x: array('float32', [2], [-4, 0]) });
  // gelu(-1) by its tanh form is -0.158808; by erf it were -0.158655.
  expect(values?.[0]).toBeCloseTo((10 - 0.158808) / 2, 6);
  expect(values?.[1]).toBe(40);
});
