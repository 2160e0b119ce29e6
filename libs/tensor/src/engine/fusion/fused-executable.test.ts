import { expect, onTestFinished, test } from 'vitest';

import {
  add,
  compile,
  constant,
  engineNamed,
  mul,
  pick,
  registerEngine,
  shared,
  sub,
  sum,
  tanh,
  tensor,
  type SharedVariable,
  type StoredValue,
  type Variable,
} from '../../index.js';
import { filled, following, FUSED_SIZE, type Following } from '../../../test/following.js';
import { array, present } from '../../../test/op-laws.js';
import { bitsOf, compileUnfused } from '../../../test/unfused.js';
import { RegionValue } from './state-memory.js';

/** Bits of all that a step writes. */
async function stateOf({ W, mean, meanSquare }: Following): Promise<Uint32Array[]> {
  const values = await Promise.all([W, mean, meanSquare].map((variable) => variable.getValue()));
  return values.map(({ data }) => bitsOf(data));
}

function isInMemory({ W, mean, meanSquare }: Following): boolean[] {
  return [W, mean, meanSquare].map((variable) => {
    const value = variable.pin();
    value.release();
    return value instanceof RegionValue;
  });
}

test('snapshots of any number of steps stay as they are, also where there is no room for more, and give it back', async () => {
  const [state, other] = [following(), following()];
  const f = await compile({ inputs: [], outputs: [], updates: state.updates });
  const unfused = await compileUnfused({ inputs: [], outputs: [], updates: other.updates });
  const pins: { readonly value: StoredValue; readonly bits: Uint32Array }[] = [];
  const places: boolean[][] = [];
  for (let step = 0; step < 8; step += 1) {
    await f.run([]);
    await unfused.run([]);
    const bits = await stateOf(state);
    expect(bits).toEqual(await stateOf(other));
    for (const [at, variable] of [state.W, state.mean, state.meanSquare].entries()) {
      pins.push({ value: variable.pin(), bits: present(bits[at]) });
    }
    places.push(isInMemory(state));
  }
  for (const { value, bits } of pins) expect(bitsOf((await value.read()).data)).toEqual(bits);
  for (const { value } of pins) value.release();
  for (let step = 0; step < 2; step += 1) await f.run([]);

  expect(places[0]).toEqual([true, true, true]);
  expect(places.at(-1)).toEqual([false, false, false]);
  expect(isInMemory(state)).toEqual([true, true, true]);
});

test('memory goes on to another value with the last handle, and what was taken does not change with it', async () => {
  const state = following();
  const f = await compile({ inputs: [], outputs: [], updates: state.updates });
  await f.run([]);
  const addresses = new Set<number>();
  const copy = await state.W.getValue();
  const bits = bitsOf(copy.data);
  for (let step = 0; step < 20; step += 1) {
    const value = state.W.pin();
    if (value instanceof RegionValue) addresses.add(value.address);
    value.release();
    await f.run([]);
  }
  expect(bitsOf(copy.data)).toEqual(bits);
  expect(addresses.size).toBeLessThanOrEqual(2);
  for (const address of addresses) expect(address % 64).toBe(0);
});

test('a run that fails leaves the state as it was, and nothing held', async () => {
  const labels = tensor('labels', 'int64', [1]);
  const picked = pick(constant(array('float32', [1, 3], [0.1, 0.2, 0.3])), labels);
  const state = following((W) => add(tanh(W), sum(picked)));
  const f = await compile({ inputs: [labels], outputs: [], updates: state.updates });
  await f.run([array('int64', [1], [1])]);
  const before = await stateOf(state);
  for (let run = 0; run < 12; run += 1) {
    await expect(f.run([array('int64', [1], [7])])).rejects.toThrow(/pick/);
  }
  expect(await stateOf(state)).toEqual(before);
  // There is room for no more than a few values.
  await f.run([array('int64', [1], [1])]);
  expect(isInMemory(state)).toEqual([true, true, true]);
});

test('a profile in the midst of runs changes nothing', async () => {
  const [state, other] = [following(), following()];
  const f = await compile({ inputs: [], outputs: [], updates: state.updates });
  const unfused = await compileUnfused({ inputs: [], outputs: [], updates: other.updates });
  for (let step = 0; step < 3; step += 1) {
    const profile = f.profile([], { runs: 2 });
    await Promise.all([f.run([]), profile]);
    await unfused.run([]);
  }
  expect(await stateOf(state)).toEqual(await stateOf(other));
});

test('values of other functions and of other engines are copied, and two functions may update the same', async () => {
  const [state, other] = [following(), following()];
  const halve = (variables: Following) => ({
    inputs: [],
    outputs: [],
    updates: [[variables.W, mul(variables.W, 0.5)] as const],
  });
  const functions = [
    await compile({ inputs: [], outputs: [], updates: state.updates }),
    await compile(halve(state)),
    await compile({ ...halve(state), engine: 'reference' }),
  ];
  const unfused = [
    await compileUnfused({ inputs: [], outputs: [], updates: other.updates }),
    ...(await Promise.all([compileUnfused(halve(other)), compileUnfused(halve(other))])),
  ];
  for (const at of [0, 1, 2, 0, 0, 1, 1, 2, 1, 0]) {
    await functions[at]?.run([]);
    await unfused[at]?.run([]);
  }
  expect(await stateOf(state)).toEqual(await stateOf(other));
});

test('an engine that cannot write where it is told is read from where it writes', async () => {
  const base = engineNamed('reference');
  const fusion = { providers: new Set(base.providers.map(({ name }) => name)), rewrites: () => undefined };
  onTestFinished(registerEngine({ ...base, name: 'fusing', fusion }));
  const state = following();
  const f = await compile({ inputs: [], outputs: [], updates: state.updates, engine: 'fusing' });
  await f.run([]);
  const mean = Math.fround(Math.fround(Math.tanh(1)) * Math.fround(0.1));
  expect(f.explain().fused).toHaveLength(1);
  expect([...(await state.mean.getValue()).data]).toEqual(Array.from({ length: FUSED_SIZE }, () => mean));
});

test('outputs and watches see what updates see', async () => {
  const state = following();
  const [, [, nextMean]] = state.updates as [unknown, readonly [unknown, Parameters<typeof sum>[0]]];
  const f = await compile({ inputs: [], outputs: [nextMean, state.W, sum(nextMean)], updates: state.updates });
  const [mean, before, total] = await f.run([]);
  expect(bitsOf(present(mean).data)).toEqual(bitsOf((await state.mean.getValue()).data));
  expect(present(before).data).toEqual(filled(1).data);
  expect(present(total).data[0]).toBeCloseTo(FUSED_SIZE * 0.1 * Math.tanh(1), 3);
  // They belong to the caller.
  for (const output of [mean, before]) output?.data.fill(-1 as never);
  expect((await state.W.getValue()).data[0]).toBeCloseTo(1 - Math.tanh(1) * 0.1 * Math.tanh(1) * 0.1, 6);
});

test('what is fed directly is read by kernels too', async () => {
  const x = tensor('x', 'float32', [FUSED_SIZE]);
  const rate = shared(0.5, 'rate');
  const total = shared(filled(1), 'total');
  const f = await compile({ inputs: [x], outputs: [], updates: [[total, add(total, mul(x, rate))]] });
  expect(f.explain().engineOps).toBe(0);
  for (let step = 0; step < 2; step += 1) await f.run([filled(4)]);
  expect((await total.getValue()).data).toEqual(filled(5).data);
});

test('kernels share a function where they compute the same of what they read, and not where it is in another order', async () => {
  const rate = shared(2, 'rate');
  const forms: ((x: SharedVariable) => Variable)[] = [
    (x) => sub(x, rate),
    (x) => sub(rate, x),
    (x) => sub(mul(x, x), rate),
    (x) => sub(mul(x, rate), x),
    (x) => mul(sub(x, rate), x),
  ];
  const states = [...forms, ...forms].map((_, at) => shared(filled(at + 3), `x${at}`));
  const updates = states.map((state, at) => [state, present(forms[at % forms.length])(state)] as const);
  const f = await compile({ inputs: [], outputs: [], updates });
  expect(f.explain().fused).toHaveLength(states.length);
  await f.run([]);
  const values = await Promise.all(states.map((state) => state.getValue()));
  expect(values.map(({ data }) => data[FUSED_SIZE - 1])).toEqual([1, -2, 23, 6, 35, 6, -7, 98, 11, 120]);
});
