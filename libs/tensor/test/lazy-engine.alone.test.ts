import { createRequire } from 'node:module';

import { expect, test } from 'vitest';

import * as room from '../src/index.js';
import { array } from './op-laws.js';

const required = createRequire(import.meta.url);

function isLoaded(): boolean {
  return Object.keys(required.cache).some((file) => file.endsWith('onnxruntime_binding.node'));
}

test('ONNX Runtime is loaded by the first function compiled for it, and by nothing before', async () => {
  const x = room.scalar('x');
  const [gradient] = room.grad(room.square(x), [x]);
  if (gradient === undefined) throw new Error('There is no gradient');
  const slow = await room.compile({ inputs: [x], outputs: [gradient], engine: 'reference' });
  await slow.run([array('float32', [], [1])]);
  room.environment({ engine: 'onnxruntime' });
  expect(isLoaded()).toBe(false);

  const fast = await room.compile({ inputs: [x], outputs: [gradient] });
  await fast.run([array('float32', [], [1])]);
  expect(isLoaded()).toBe(true);
});
