import { describe, test } from 'vitest';

import { std, variance, type Variable } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, present } from '../../test/op-laws.js';

describe('1.T-67 and 1.T-68: std and variance', () => {
  test('ddof is taken from the number of elements, known or not', async () => {
    const values = array('float64', [2, 3], [1, 2, 6, 4, 4, 4]);
    const of = (op: typeof variance) => (x?: Variable) => op(present(x), { axis: 1, ddof: 1 });
    await expectEnginesAgree(of(variance), [values], { gradients: true });
    expectClose(await evaluate('onnxruntime', of(variance), [values]), array('float64', [2], [7, 0]));
    expectClose(await evaluate('onnxruntime', of(std), [values]), array('float64', [2], [Math.sqrt(7), 0]));
  });

  test('of one element less ddof there is none', async () => {
    const build = (x?: Variable): Variable => variance(present(x), { axis: 0, ddof: 1 });
    await expectEnginesAgree(build, [array('float64', [1], [3])]);
    expectClose(await evaluate('reference', build, [array('float64', [1], [3])]), array('float64', [], [Number.NaN]));
  });
});
