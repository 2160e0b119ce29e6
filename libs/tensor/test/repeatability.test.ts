import { createHash } from 'node:crypto';

import type { NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import type { ComputeOptions, SharedVariable } from '../src/index.js';
import { batch, mlp, trainingStep } from './mlp.js';

const STEPS = 50;

/** The bytes of all state after training, and of the outputs of every step. `moveAt`: the state is taken out and put into a new function. */
async function fingerprint(target: ComputeOptions, dims: readonly number[], moveAt?: number): Promise<string> {
  const hash = createHash('sha256');
  let { network, train, state } = await start(target, dims);
  for (let step = 0; step < STEPS; step += 1) {
    if (step === moveAt) {
      const successor = await start(target, dims);
      for (const [at, variable] of successor.state.entries()) variable.setValue(await throughBytes(state, at));
      await train.dispose();
      ({ network, train, state } = successor);
    }
    for (const output of await train.run(batch(network, step % 7 === 6 ? 9 : 16, step % 5)))
      hash.update(bytesOf(output));
  }
  for (const variable of state) hash.update(bytesOf(await variable.getValue()));
  await train.dispose();
  return hash.digest('hex');
}

async function start(target: ComputeOptions, dims: readonly number[]) {
  const network = mlp(dims, 'float32');
  return { network, ...(await trainingStep(network, target)) };
}

/** The value as a file would give it back: new memory, same bits. */
async function throughBytes(state: readonly SharedVariable[], at: number): Promise<NdArray> {
  const value = await state[at]?.getValue();
  if (value === undefined) throw new Error(`There is no state ${at}`);
  return value;
}

function bytesOf(value: NdArray): Uint8Array {
  return new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
}

test.each([
  { target: { engine: 'onnxruntime', threads: 2 }, dims: [64, 50, 50, 10] },
  { target: { engine: 'onnxruntime', threads: 1 }, dims: [64, 50, 50, 10] },
  { target: { engine: 'tfjs', provider: 'cpu' }, dims: [8, 6, 4] },
  { target: { engine: 'reference' }, dims: [8, 6, 4] },
])(
  'fifty steps end with the same bits, run again or moved to another function: $target.engine, $target.threads threads',
  async ({ target, dims }) => {
    const undisturbed = await fingerprint(target, dims);
    expect(await fingerprint(target, dims)).toBe(undisturbed);
    for (const moveAt of [0, 17, STEPS - 1]) expect(await fingerprint(target, dims, moveAt)).toBe(undisturbed);
  },
);

test('other parameters end with other bits', async () => {
  const target = { engine: 'onnxruntime', threads: 1 };
  expect(await fingerprint(target, [64, 50, 50, 10])).not.toBe(await fingerprint(target, [64, 50, 40, 10]));
});
