import { grad, sum, tensor } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32, int64 } from '../../test/tiny-experiment.js';
import { LookupTable } from './lookup-table.js';

test('gives rows by integers of any number of axes, and takes gradients for those rows (1.9-36)', async () => {
  const brick = new LookupTable({ length: 3, dim: 2 });
  brick.allocate();
  brick.W.setValue(float32([3, 2], [1, 2, 3, 4, 5, 6]));
  const indices = tensor('indices', 'int64', [null, null]);
  const given = [[indices, { ...int64([2, 0, 2, 2]), shape: [2, 2] }]] as const;
  const output = brick.apply(indices);

  expect(output.shape).toEqual([null, null, 2]);
  expect(await evaluate(output, given)).toEqual([5, 6, 1, 2, 5, 6, 5, 6]);
  const [gradient = output] = grad(sum(output), [brick.W]);
  expect(await evaluate(gradient, given, 'onnxruntime')).toEqual([1, 1, 0, 0, 3, 3]);
  expect([brick.getDim('indices'), brick.getDim('output')]).toEqual([0, 2]);
});

test('an index without a row is an error when the graph runs', async () => {
  const brick = new LookupTable({ length: 3, dim: 2 });
  const indices = tensor('indices', 'int64', [null]);

  await expect(evaluate(brick.apply(indices), [[indices, int64([3])]])).rejects.toThrow('3');
});
