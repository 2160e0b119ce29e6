import { RandomStreams } from '@longrun/serialization';
import { matrix } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { Constant } from '../initialization/constant.js';
import { BIAS, hasRoles } from '../roles.js';
import { Bias } from './bias.js';
import { FeedforwardSequence } from './feedforward-sequence.js';

test('a bias is added to the last axis (1.9-82)', async () => {
  const brick = new Bias({ dim: 2, biasesInit: new Constant([0.5, -1]) });
  brick.initialize(new RandomStreams(1));
  const x = matrix('x');

  expect(await evaluate(brick.apply(x), [[x, float32([2, 2], [1, 2, 3, 4])]])).toEqual([1.5, 1, 3.5, 3]);
  expect(brick.parameters.map((parameter) => [parameter.name, hasRoles(parameter, [BIAS])])).toEqual([['b', true]]);
  expect([brick.getDim('input'), brick.getDim('output')]).toEqual([2, 2]);
});

test('its size is set by either side of a sequence', () => {
  const sequence = new FeedforwardSequence([new Bias()]);
  sequence.outputDim.value = 3;
  sequence.allocate();

  expect(sequence.inputDim.value).toBe(3);
});
