import { test } from 'vitest';

import { binaryCrossEntropy, grad, logistic, sum, type Variable } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

function build(probabilities?: Variable, targets?: Variable): Variable {
  return binaryCrossEntropy(present(probabilities), present(targets));
}

test('1.T-34: the gradients of binaryCrossEntropy are those of finite differences, broadcast or not', async () => {
  await expectGradientsRight(build, [spread([3, 2], 0.1, 0.9), spread([2], 0, 1, 1)]);
  await expectGradientsRight(build, [spread([2], 0.1, 0.9), spread([3, 1], 0, 1, 1)]);
});

test('engines agree, on an empty batch too', async () => {
  for (const size of [3, 1, 0]) {
    const [p, t] = [[0.25, 0.5, 0.96875].slice(0, size), [1, 0, 0.5].slice(0, size)];
    await expectEnginesAgree(build, [array('float32', [size], p), array('float32', [size], t)], { gradients: true });
  }
});

test('of a logistic it is finite however large its argument is, and its gradient is the difference', async () => {
  const [x, targets] = [array('float32', [4], [500, -500, 500, -500]), array('float32', [4], [0, 1, 1, 0])];
  const cost = (logits?: Variable, wanted?: Variable): Variable =>
    binaryCrossEntropy(logistic(present(logits)), present(wanted));
  const slope = (logits?: Variable, wanted?: Variable): Variable =>
    present(grad(sum(cost(logits, wanted)), [present(logits)])[0]);
  for (const engine of ['reference', 'onnxruntime'] as const) {
    expectClose(await evaluate(engine, cost, [x, targets]), array('float32', [4], [500, 500, 0, 0]));
    expectClose(await evaluate(engine, slope, [x, targets]), array('float32', [4], [1, -1, 0, 0]));
  }
});
