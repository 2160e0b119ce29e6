import { expect, test } from 'vitest';

import { askedEngine, hasEngine } from './asked-engine.js';
import { Resources } from './experiment-spec.js';

const asked = (resources: object): string | undefined => askedEngine(Resources.parse(resources));

test.each([
  [{}, undefined],
  [{ engine: 'tfjs' }, 'tfjs'],
  [{ provider: 'cuda' }, 'onnxruntime/cuda'],
  [{ engine: 'tfjs', provider: 'cpu' }, 'tfjs/cpu'],
])('%o asks for %s', (resources, name) => {
  expect(asked(resources)).toBe(name);
});

test('a worker has an engine with each of its providers, and no other', () => {
  const engines = { onnxruntime: ['cpu', 'cuda'], tfjs: ['cpu'] };
  const has = (resources: object): boolean => hasEngine(engines, asked(resources));
  expect([{}, { provider: 'cuda' }, { engine: 'tfjs' }, { engine: 'tfjs', provider: 'cpu' }].every(has)).toBe(true);
  const others = [{ engine: 'reference' }, { provider: 'webgpu' }, { engine: 'tfjs', provider: 'cuda' }];
  expect(others.some(has)).toBe(false);
  expect(hasEngine(engines, 'constructor')).toBe(false);
});

test('a worker that does not say its engines may have any', () => {
  expect([hasEngine(undefined, 'tfjs'), hasEngine(null, 'tfjs/cuda')]).toEqual([true, true]);
});
