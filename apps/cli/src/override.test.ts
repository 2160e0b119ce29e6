import { expect, test } from 'vitest';

import { applyOverride, InvalidOverride, parseOverride } from './override.js';

const spec = { program: 'mlp', params: { dims: [784, 500, 10], batchSize: 128 } };

test.each([
  ['params.batchSize=64', { program: 'mlp', params: { dims: [784, 500, 10], batchSize: 64 } }],
  ['params.dims=[784, 10]', { program: 'mlp', params: { dims: [784, 10], batchSize: 128 } }],
  ['params.dims.1=250', { program: 'mlp', params: { dims: [784, 250, 10], batchSize: 128 } }],
  ['resources.threads=1', { ...spec, resources: { threads: 1 } }],
  ['name="64"', { ...spec, name: '64' }],
  ['name=a=b', { ...spec, name: 'a=b' }],
  ['retry.maxPreemptions=null', { ...spec, retry: { maxPreemptions: null } }],
])('--set %s', (text, expected) => {
  const before = structuredClone(spec);
  expect(applyOverride(spec, parseOverride(text))).toEqual(expected);
  expect(spec).toEqual(before);
});

test.each([
  'batchSize',
  '=3',
  'params..x=3',
  '__proto__.polluted=1',
  'params=[1, 2',
  'params=*nothing',
  'params.dims.7=1',
  'program.name=x',
])('--set %s is refused', (text) => {
  expect(() => applyOverride(spec, parseOverride(text))).toThrow(InvalidOverride);
});
