import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { add, constant, mul, shared, sub, tensor } from '../index.js';
import { onnxProto } from '../../test/onnx-proto.js';
import { array } from '../../test/op-laws.js';
import { lowerToOnnx } from '../engine/onnxruntime/lower.js';

interface Input {
  readonly name: string;
  readonly type: { readonly tensor_type: { readonly shape: { readonly dim: readonly object[] } } };
}

function decode(model: Uint8Array): {
  graph: { node: { opType: string; name: string }[]; initializer: object[]; input: Input[] };
} {
  const type = onnxProto('ModelProto');
  const { graph } = type.toObject(type.decode(model), { arrays: true });
  return {
    graph: {
      node: graph.node.map((node: { op_type: string; name: string }) => ({ opType: node.op_type, name: node.name })),
      initializer: graph.initializer,
      input: graph.input,
    },
  };
}

test('a graph becomes one model whose nodes are named after the ops they come from', () => {
  const [x, W] = [tensor('x', 'float32', [null]), shared(1, 'W')];
  const { graph } = decode(lowerToOnnx('f', [x, W], [sub(x, mul(x, W))]).model);
  expect(graph.node.map(({ opType }) => opType)).toEqual(['Mul', 'Sub']);
  expect(graph.node[0]?.name).toMatch(/^mul\(x,W\)\//);
  expect(graph.input.map(({ name }) => name)).toEqual(['input0', 'input1']);
});

test('no two sizes that are not known have one word, whatever their names', () => {
  const [a, b] = [tensor('a', 'float32', ['batch', 3]), tensor('b', 'float32', ['input0_0', 'batch'])];
  const { graph } = decode(lowerToOnnx('f', [a, b], [a, b]).model);
  expect(graph.input.flatMap(({ type }) => type.tensor_type.shape.dim)).toMatchObject([
    { dim_param: 'input0_0' },
    { dim_value: expect.anything() },
    { dim_param: 'input1_0' },
    { dim_param: 'input1_1' },
  ]);
});

test('equal small constants are stored once', () => {
  const x = tensor('x', 'float32', [null]);
  const { graph } = decode(lowerToOnnx('f', [x], [add(mul(x, 0.9), mul(add(x, 1), 0.9))]).model);
  expect(graph.initializer).toHaveLength(2);
});

test('an output that is an input, a constant or another output gets a name of its own', () => {
  const [x, c] = [tensor('x', 'float32', [2]), constant(array('float32', [2], [1, 2]))];
  const y = add(x, c);
  const { outputNames, inputNames } = lowerToOnnx('f', [x], [x, c, y, y]);
  expect(new Set([...outputNames, ...inputNames]).size).toBe(5);
});

test('large constants keep their bytes', () => {
  const big = ndarray(
    'float64',
    [1000],
    Float64Array.from({ length: 1000 }, (_, at) => at / 7),
  );
  const { graph } = decode(lowerToOnnx('f', [], [add(constant(big), 1)]).model);
  expect(graph.initializer[0]).toMatchObject({ data_type: 11 });
});
