import { expect, test } from 'vitest';

import { compile, computeTarget, EngineUnavailable, scalar } from '../index.js';

test('what is left out of a target has its default', () => {
  expect(computeTarget()).toEqual({ engine: 'onnxruntime', provider: 'cpu', device: 0, threads: 2 });
  expect(computeTarget({ engine: 'reference', provider: undefined, threads: 1 })).toEqual({
    engine: 'reference',
    provider: 'cpu',
    device: 0,
    threads: 1,
  });
  expect(computeTarget({ provider: 'cuda', device: 3 })).toMatchObject({ provider: 'cuda', device: 3 });
});

test.each([
  [{ engine: 'tensorrt' }, EngineUnavailable, /^There is no engine tensorrt; there are onnxruntime, tfjs, reference/],
  [
    { provider: 'tpu' },
    EngineUnavailable,
    /^The engine onnxruntime has no provider tpu; there are cpu, webgpu.*, cuda/,
  ],
  [{ engine: 'reference', provider: 'cuda' }, EngineUnavailable, /^The engine reference has no provider cuda; .* cpu$/],
  [{ device: -1 }, RangeError, /^device is -1; give an integer of 0 or more$/],
  [{ device: 1 }, RangeError, /^device is 1, but cpu of onnxruntime is one device; leave it out$/],
  [{ threads: 0 }, RangeError, /^threads is 0; give an integer of 1 or more$/],
])('%j is no target', async (options, kind, message) => {
  expect(() => computeTarget(options)).toThrow(kind);
  expect(() => computeTarget(options)).toThrow(message);
  const x = scalar('x');
  await expect(compile({ inputs: [x], outputs: [x], ...options })).rejects.toThrow(message);
});
