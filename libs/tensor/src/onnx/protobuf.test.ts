import { expect, test } from 'vitest';

import { onnxProto } from '../../test/onnx-proto.js';
import { encodeMessage, MESSAGES, type MessageType } from './protobuf.js';

const INTEGERS: ReadonlySet<string> = new Set(['int32', 'int64', 'AttributeType']);

test('the fields are those of onnx.proto', () => {
  for (const [type, fields] of Object.entries(MESSAGES)) {
    const known = onnxProto(type as MessageType).fields;
    for (const [name, [number, holds]] of Object.entries(fields)) {
      const field = known[name];
      const kind = field === undefined || INTEGERS.has(field.type) ? 'int' : field.type.split('.').at(-1);
      expect([type, name, field?.id, kind]).toEqual([type, name, number, holds]);
    }
  }
});

test('messages of any depth and length are read as they were written', () => {
  const long = 'é'.repeat(40_000);
  const ints = [0, -1, 1, 127, 128, -(2 ** 31), 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  const many = Array.from({ length: 10_000 }, (_, at) => `value ${at}`);
  const inner = { name: 'inside', node: [{ name: long, input: ['a', '', 'b'], output: many, op_type: 'Add' }] };
  const attribute = [
    {
      name: 'all',
      ints,
      floats: [0, -1.5, 2 ** -149, Infinity],
      s: Uint8Array.of(0, 255),
      strings: [Uint8Array.of(1)],
    },
    { name: 'graph', g: inner, type: 5, f: 0.5, i: -3 },
    { name: 'tensor', t: { dims: [2, 3], data_type: 1, raw_data: new Uint8Array(100_000).fill(7) } },
  ];
  const dim = [{ dim_value: 3 }, { dim_param: 'batch' }];
  const message = {
    ir_version: 10,
    graph: {
      node: [{ attribute }, { op_type: 'Identity' }],
      input: [{ name: 'x', type: { tensor_type: { elem_type: 1, shape: { dim } } } }],
    },
    opset_import: [{ domain: '', version: 21 }],
  };
  const type = onnxProto('ModelProto');
  const read = type.toObject(type.decode(encodeMessage('ModelProto', message)), { longs: Number, bytes: Array });
  expect(read).toEqual(JSON.parse(JSON.stringify(message, plain), (_, value) => (value === 'inf' ? Infinity : value)));
});

test.each([
  ['a field that is not there', { nodes: [] }, /GraphProto of ONNX has no field nodes here/],
  ['a fraction', { input: [{ type: { tensor_type: { elem_type: 1.5 } } }] }, /Tensor.elem_type of ONNX holds int.*1.5/],
  ['a number for a name', { name: 3 }, /GraphProto.name of ONNX holds string, but was given number 3/],
  ['a name for a message', { node: ['Add'] }, /GraphProto.node of ONNX holds NodeProto, but was given string Add/],
  ['a message for a name', { name: {} }, /GraphProto.name of ONNX holds string/],
  ['bytes for a name', { name: Uint8Array.of(1) }, /GraphProto.name of ONNX holds string/],
])('%s is refused', (_, message, refusal) => {
  expect(() => encodeMessage('GraphProto', message)).toThrow(refusal);
});

/** Bytes as protobufjs gives them, and what JSON has not. */
function plain(_: string, value: unknown): unknown {
  if (value === Infinity) return 'inf';
  return value instanceof Uint8Array ? [...value] : value;
}
