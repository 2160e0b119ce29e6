// Writes src/onnx/schema.ts from src/onnx/onnx.proto (ONNX 1.23.1's own, unchanged): `node scripts/generate-onnx-schema.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const folder = new URL('../src/onnx/', import.meta.url);
const { root } = protobuf.parse(readFileSync(new URL('onnx.proto', folder), 'utf8'), { keepCase: true });
const json = JSON.stringify(root.toJSON(), null, 2);
const HEADER = `// SPDX-License-Identifier: Apache-2.0
// Generated from onnx.proto by scripts/generate-onnx-schema.mjs; do not edit.
import type { INamespace } from 'protobufjs';

/** ONNX's protobuf schema, as protobufjs reads it. */
export const onnxSchema: INamespace = `;
writeFileSync(new URL('schema.ts', folder), `${HEADER}${json};\n`);
