import { expect, test } from 'vitest';

import { expandDims, square, squeeze, tensor } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { expectGradientsRight, present, spread } from '../../test/op-laws.js';

test('an axis that is put in and one that is dropped carry their gradients', async () => {
  const value = spread([2, 3], -2, 2);
  await expectGradientsRight((x) => square(squeeze(expandDims(expandDims(present(x), 0), -1), { axis: 0 })), [value]);
  await expectEnginesAgree((x) => square(expandDims(present(x), 1)), [value], { gradients: true });
});

test('axes are counted from either end, of the result where they are new', () => {
  const x = tensor('x', 'float32', [null, 1, 3, 1]);
  expect(expandDims(x, -1).shape).toEqual([null, 1, 3, 1, 1]);
  expect(expandDims(x, 2).shape).toEqual([null, 1, 1, 3, 1]);
  expect(squeeze(x).shape).toEqual([null, 3]);
  expect(squeeze(x, { axis: [-1, 1] }).shape).toEqual([null, 3]);
  expect(squeeze(x, { axis: 1 }).shape).toEqual([null, 3, 1]);
});

test('an axis that is not of size 1 cannot be dropped', () => {
  const x = tensor('x', 'float32', [null, 3]);
  expect(() => squeeze(x, { axis: 0 })).toThrow(
    'squeeze: axis 0 of `x` float32 (null, 3) is not known to have the size 1; only such',
  );
  expect(() => squeeze(x, { axis: 1 })).toThrow('axis 1 of `x` float32 (null, 3) has not the size 1');
  expect(() => expandDims(x, 3)).toThrow(
    'expandDims: the new axis of `x` float32 (null, 3) cannot be 3; give one from -3 to 2',
  );
});
