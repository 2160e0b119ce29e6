import { readFileSync } from 'node:fs';

import protobuf from 'protobufjs';
import { expect, test } from 'vitest';

import { onnxSchema } from './schema.js';

test('schema.ts is what onnx.proto says; run scripts/generate-onnx-schema.mjs after changing it', () => {
  const text = readFileSync(new URL('onnx.proto', import.meta.url), 'utf8');
  expect(text).toContain('SPDX-License-Identifier: Apache-2.0');
  expect(onnxSchema).toEqual(protobuf.parse(text, { keepCase: true }).root.toJSON());
});
