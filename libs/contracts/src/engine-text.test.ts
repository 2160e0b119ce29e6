import { expect, test } from 'vitest';

import { engineText } from './engine-text.js';

test.each([
  ['onnxruntime', { provider: 'cuda', threads: 1 }, 'onnxruntime/cuda'],
  ['tfjs', { provider: 'cpu' }, 'tfjs/cpu'],
  ['reference', null, 'reference'],
  ['reference', { threads: 1 }, 'reference'],
  [null, null, ''],
])('%s in %j is shown as %s', (engine, environment, text) => {
  expect(engineText({ engine, environment })).toBe(text);
});
