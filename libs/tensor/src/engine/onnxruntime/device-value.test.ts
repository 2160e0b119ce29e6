import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { add, compile, dot, engineNamed, mul, shared, sum, tanh, tensor, type StoredValue } from '../../index.js';
import { array, present } from '../../../test/op-laws.js';
import { DeviceValue } from './device-value.js';

const why = engineNamed('onnxruntime')
  .providers.find(({ name }) => name === 'webgpu')
  ?.unavailable();
const reason = why === undefined ? '' : ` (not run: ${why})`;

test.skipIf(why !== undefined)(
  `state that a function writes stays on the device, and goes from function to function there${reason}`,
  async () => {
    const [x, W] = [tensor('x', 'float32', [null, 2]), shared(array('float32', [2, 2], [1, 2, 3, 4]), 'W')];
    const count = shared(array('int64', [], [0]), 'count');
    const options = { engine: 'onnxruntime', provider: 'webgpu' } as const;
    const step = await compile({
      inputs: [x],
      outputs: [sum(dot(x, W))],
      updates: [
        [W, mul(W, 2)],
        [count, add(count, 1)],
      ],
      ...options,
    });
    const look = await compile({ inputs: [x], outputs: [dot(x, W)], ...options });
    const values = [array('float32', [1, 2], [1, 1])];

    expect(await step.run(values)).toEqual([array('float32', [], [10])]);
    const first = W.pin();
    await step.run(values);
    const second = W.pin();
    expect([first, second].map((value) => value instanceof DeviceValue)).toEqual([true, true]);
    // Whoever holds a value has it as it was.
    expect(await read(first)).toEqual([2, 4, 6, 8]);
    expect(await read(second)).toEqual([4, 8, 12, 16]);
    expect(await look.run(values)).toEqual([array('float32', [1, 2], [16, 24])]);
    expect(await W.getValue()).toEqual(array('float32', [2, 2], [4, 8, 12, 16]));
    expect(await count.getValue()).toEqual(array('int64', [], [2]));

    // Another engine reads it as any value.
    const elsewhere = await compile({ inputs: [x], outputs: [dot(x, W)], engine: 'reference' });
    expect(await elsewhere.run(values)).toEqual([array('float32', [1, 2], [16, 24])]);
    for (const value of [first, second]) value.release();
    await Promise.all([step, look, elsewhere].map((compiled) => compiled.dispose()));
  },
);

test.skipIf(why !== undefined)(
  `what is fed empty is computed, and state of it is there for what comes next${reason}`,
  async () => {
    const [x, W] = [tensor('x', 'float32', [null, 2]), shared(array('float32', [2, 2], [1, 2, 3, 4]), 'W')];
    const total = sum(tanh(dot(x, W)));
    const step = await compile({
      inputs: [x],
      outputs: [total],
      updates: [[W, add(W, total)]],
      engine: 'onnxruntime',
      provider: 'webgpu',
    });
    expect(await step.run([ndarray('float32', [0, 2])])).toEqual([array('float32', [], [0])]);
    const [after] = await step.run([array('float32', [1, 2], [20, 20])]);
    expect(present(after).data[0]).toBeCloseTo(2, 6);
    expect(await W.getValue()).toEqual(array('float32', [2, 2], [3, 4, 5, 6]));
    await step.dispose();
  },
);

async function read(value: StoredValue): Promise<number[]> {
  const { data } = await value.read();
  return Array.from({ length: data.length }, (_, at) => Number(data[at]));
}
