import { describe, expect, test } from 'vitest';

import {
  add,
  cast,
  dimension,
  flatten,
  onesLike,
  reshape,
  slice,
  square,
  sum,
  tensor,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectGradientsRight, present, spread } from '../../test/op-laws.js';

describe('1.T-71: reshape', () => {
  test('both engines agree, sizes given as numbers, as variables and as -1', async () => {
    const value = array('float32', [2, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await expectEnginesAgree((x) => square(reshape(present(x), [3, 4])), [value], { gradients: true });
    await expectEnginesAgree((x) => square(reshape(present(x), [-1, 4])), [value], { gradients: true });
    await expectEnginesAgree((x) => square(reshape(present(x), [dimension(present(x), 0), 3, -1])), [value], {
      gradients: true,
    });
    await expectEnginesAgree((x) => square(reshape(present(x), [])), [array('float32', [1, 1], [3])], {
      gradients: true,
    });
    await expectEnginesAgree((x) => square(reshape(present(x), [4, 0])), [array('float32', [0, 3], [])], {
      gradients: true,
    });
    await expectEnginesAgree((x) => flatten(present(x), 2), [array('float32', [0, 3, 2], [])], { gradients: true });
  });

  test('the gradient is that of finite differences', async () => {
    await expectGradientsRight((x) => reshape(present(x), [3, -1]), [spread([2, 6], -1, 1)]);
    await expectGradientsRight((x) => flatten(present(x), 2), [spread([2, 3, 2], -1, 1)]);
  });

  test('1.T-72: flatten keeps the first axes', () => {
    const x = tensor('x', 'float32', [null, 28, 28]);
    expect(flatten(x, 2).shape).toEqual([null, 784]);
    expect(flatten(x).shape).toEqual([null]);
    expect(flatten(tensor('x', 'float32', [2, 3, 4])).shape).toEqual([24]);
    expect(() => flatten(x, 4)).toThrow('flatten: `x` float32 (null, 28, 28) cannot be given 4 axes; give 1 to 3');
  });

  test('another number of elements is refused when it is known, and an error when it turns out', async () => {
    const message = /reshape: `x` float32 \(2, 3\) of size \(2, 3\) cannot take the shape \(4, -1\)/;
    expect(() => reshape(tensor('x', 'float32', [2, 3]), [4, -1])).toThrow(message);
    expect(() => reshape(tensor('x', 'float32', [2, 3]), [-1, -1])).toThrow('with -1 once at most');
    for (const engine of ['reference', 'onnxruntime'] as const) {
      await expect(
        evaluate(engine, (x) => withOneMoreRow(sliceAll(x)), [array('float32', [2, 2], [1, 2, 3, 4])]),
      ).rejects.toThrow(/reshape/i);
    }
  });
});

/** x in a shape that has room for more elements than x has. */
function withOneMoreRow(x: Variable): Variable {
  return reshape(x, [add(dimension(x, 0), 1), 2]);
}

/** All of x, its first size forgotten. */
function sliceAll(x: Variable | undefined): Variable {
  const known = present(x);
  return slice(known, 0, sum(onesLike(cast(slice(known, 0, 1), 'int64'))));
}
