import { readFileSync } from 'node:fs';

import protobuf from 'protobufjs';

import type { MessageType } from '../src/onnx/protobuf.js';

const text = readFileSync(new URL('../src/onnx/onnx.proto', import.meta.url), 'utf8');
const { root } = protobuf.parse(text, { keepCase: true });
const INSIDE: Partial<Readonly<Record<MessageType, string>>> = {
  Dimension: 'TensorShapeProto.Dimension',
  Tensor: 'TypeProto.Tensor',
};

/** A type of ONNX's own onnx.proto, to read what was written. */
export function onnxProto(type: MessageType): protobuf.Type {
  return root.lookupType(`onnx.${INSIDE[type] ?? type}`);
}
