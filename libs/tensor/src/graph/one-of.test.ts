import { expect, test } from 'vitest';

import {
  cast,
  compile,
  constant,
  conv2d,
  convOutputShape,
  grad,
  pad,
  putAlongAxis,
  randomNormal,
  randomState,
  randomUniform,
  scalar,
  shared,
  square,
  sum,
  take,
  tensor,
  TensorTypeError,
  zeros,
} from '../index.js';

const [x, image] = [tensor('x', 'float32', [2, 2]), tensor('image', 'float32', [1, 1, 3, 3])];
const at = tensor('at', 'int64', [2, 2]);
const state = shared(randomState(1, 'noise'));
const DTYPES = 'float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, bool';

// What an untyped caller may write.
const OTHER = 'other' as never;

test.each([
  ['pad: mode', 'constant, edge, reflect', () => pad(x, 1, { mode: OTHER })],
  ['pad: mode', 'constant, edge, reflect', () => pad(x, 0, { mode: OTHER })],
  ['take: mode', 'raise, clip, wrap', () => take(x, at, { mode: OTHER })],
  ['putAlongAxis: mode', 'set, add', () => putAlongAxis(x, at, x, { mode: OTHER })],
  ['conv2d: border', 'valid, half, full', () => conv2d(image, image, { border: OTHER })],
  [
    'convOutputShape: border',
    'valid, half, full',
    () => convOutputShape([1, 1, 3, 3], [1, 1, 2, 2], { border: OTHER }),
  ],
  ['grad: disconnectedInputs', 'raise, warn, zero', () => grad(sum(x), [x], { disconnectedInputs: OTHER })],
  ['tensor: the dtype of x', DTYPES, () => tensor('x', OTHER, [2])],
  ['tensor: the dtype of x', DTYPES, () => scalar('x', OTHER)],
  ['cast: dtype', DTYPES, () => cast(x, OTHER)],
  ['constant: dtype', DTYPES, () => constant(1, OTHER)],
  ['zeros: dtype', DTYPES, () => zeros([2], OTHER)],
  ['shared: dtype', DTYPES, () => shared(1, 'W', { dtype: OTHER })],
  ['randomNormal: dtype', 'float32, float64', () => randomNormal(state, [2], { dtype: OTHER })],
  ['randomUniform: dtype', 'float32, float64', () => randomUniform(state, [2], { dtype: OTHER })],
])('%s is one of %s', (option, words, build) => {
  expect(build).toThrow(new TensorTypeError(`${option} is "other"; give one of ${words}`));
});

test('an option of compile is one of its words', async () => {
  const compiling = compile({ inputs: [x], outputs: [square(x)], onUnusedInput: OTHER });
  await expect(compiling).rejects.toThrow('function: onUnusedInput is "other"; give one of raise, ignore');
});
