import { logSoftmax, softmax, tensor } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32, int64 } from '../../test/tiny-experiment.js';
import { getApplicationCall } from '../graph/provenance.js';
import { NDimensionalSoftmax } from './ndimensional-softmax.js';
import { Softmax } from './softmax.js';

const logits = tensor('logits', 'float32', [null, null, 3]);
const given = [logits, float32([2, 2, 3], [1, 2, 3, 0, 0, 9, -1, 5, 2, 4, 4, 4])] as const;

test('the axes before that of the examples are there again in what comes out (1.9-94, 1.9-96)', async () => {
  const brick = new NDimensionalSoftmax();
  const output = brick.apply(logits, { extraNdim: 1 });

  expect(output.ndim).toBe(3);
  expect(await evaluate(output, [given])).toEqual(await evaluate(softmax(logits), [given]));
  expect(await evaluate(brick.logProbabilities(logits, { extraNdim: 1 }), [given])).toEqual(
    await evaluate(logSoftmax(logits), [given]),
  );
  expect(output.name).toBe('ndimensionalsoftmax_apply_output');
  expect(getApplicationCall(output)?.application.toString()).toBe('/ndimensionalsoftmax.apply');
});

test('of several inputs all are folded', async () => {
  const labels = tensor('labels', 'int64', [null, null]);
  const classes = { ...int64([0, 2, 1, 1]), shape: [2, 2] };
  const costs = new NDimensionalSoftmax().categoricalCrossEntropy(labels, logits, { extraNdim: 1 });
  const [flatLabels, flat] = [tensor('labels', 'int64', [null]), tensor('logits', 'float32', [null, 3])];

  expect(costs.ndim).toBe(2);
  expect(await evaluate(costs, [[labels, classes], given])).toEqual(
    await evaluate(new Softmax().categoricalCrossEntropy(flatLabels, flat), [
      [flatLabels, int64([0, 2, 1, 1])],
      [flat, float32([4, 3], [...given[1].data].map(Number))],
    ]),
  );
});

test('without extra axes it is the application itself', () => {
  const flat = tensor('logits', 'float32', [null, 3]);

  expect(new NDimensionalSoftmax().apply(flat).shape).toEqual([null, 3]);
});

test('what is no number of axes, or more than there are, is refused', () => {
  const brick = new NDimensionalSoftmax();

  expect(() => brick.apply(logits, { extraNdim: -1 })).toThrow(
    '/ndimensionalsoftmax.apply: extraNdim is -1; give a whole number of at least 0',
  );
  expect(() => brick.apply(logits, { extraNdim: 3 })).toThrow('an input has 3 axes; with extraNdim 3 give at least 4');
});
