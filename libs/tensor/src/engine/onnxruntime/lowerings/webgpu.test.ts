import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import {
  add,
  cast,
  categoricalCrossEntropy,
  compile,
  dot,
  engineNamed,
  grad,
  mean,
  mul,
  pow,
  shared,
  softmax,
  sub,
  tensor,
} from '../../../index.js';
import { array, present } from '../../../../test/op-laws.js';

const why = engineNamed('onnxruntime')
  .providers.find(({ name }) => name === 'webgpu')
  ?.unavailable();
const reason = why === undefined ? '' : ` (not run: ${why})`;

test.skipIf(why !== undefined)(
  `a step of training copies its labels, their number and the scalars of its rule to the device, and nothing back${reason}`,
  async () => {
    const [x, labels] = [tensor('x', 'float32', [null, 3]), tensor('labels', 'uint8', [null])];
    const [W, velocity] = ['W', 'velocity'].map((name) => shared(ndarray('float32', [3, 4]), name));
    const [rate, momentum, time] = [0.1, 0.9, 0].map((value) => shared(array('float64', [], [value])));
    const cost = mean(categoricalCrossEntropy(softmax(dot(x, present(W))), labels));
    const [gradient] = grad(cost, [present(W)]);
    const later = add(present(time), 1);
    const decay = cast(pow(present(momentum), later), 'float32');
    const step = mul(cast(present(rate), 'float32'), present(gradient));
    const next = sub(mul(present(velocity), decay), step);
    const f = await compile({
      inputs: [x, labels],
      outputs: [cost],
      updates: [
        [present(W), add(present(W), next)],
        [present(velocity), next],
        [present(time), later],
      ],
      engine: 'onnxruntime',
      provider: 'webgpu',
    });
    const values = [array('float32', [2, 3], [1, 2, 3, 4, 5, 6]), array('uint8', [2], [3, 0])];
    const profile = await f.profile(values, { runs: 1 });
    const calls = (kernel: string): number =>
      profile.ops.reduce((count, op) => count + (op.kernels.includes(kernel) ? op.calls : 0), 0);
    expect(calls('Gemm') + calls('MatMul')).toBeGreaterThan(0);
    expect([calls('MemcpyFromHost'), calls('MemcpyToHost')]).toEqual([3, 0]);
    await f.dispose();
  },
);
