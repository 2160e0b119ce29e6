import type { NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { shared, type SharedVariable } from '../graph/shared-variable.js';
import { add } from '../ops/add.js';
import { compile } from './compile.js';
import type { CompiledFunction } from './compiled-function.js';
import { guardWrites, type WriteGuard } from './write-guard.js';

function counting(counter: SharedVariable): Promise<CompiledFunction> {
  return compile({
    name: 'count',
    inputs: [],
    outputs: [counter],
    updates: [[counter, add(counter, 1)]],
    engine: 'reference',
  });
}

test('a guard is asked once about each function that updates, before it runs, however late it runs', async () => {
  const [counter, other] = [shared(0, 'counter'), shared(0, 'other')];
  const asked: unknown[] = [];
  const counts: Promise<NdArray>[] = [];
  const guard: WriteGuard = (name, updated) => {
    asked.push([name, updated]);
    counts.push(counter.getValue());
  };
  const [before, reading] = [
    await counting(counter),
    await compile({ inputs: [], outputs: [other], engine: 'reference' }),
  ];
  await before.run([]);
  expect(asked).toEqual([]);

  await guardWrites(guard, async () => {
    await before.run([]);
    await before.run([]);
    await reading.run([]);
    await new Promise((resolve) => void setTimeout(resolve, 1));
    await (await counting(other)).run([]);
  });
  await before.run([]);

  expect(asked).toEqual([
    ['count', [counter]],
    ['count', [other]],
  ]);
  expect((await Promise.all(counts)).map(({ data }) => data[0])).toEqual([1, 3]);
});

test('a function that the guard refuses is not run, now or later', async () => {
  const counter = shared(0, 'counter');
  const refuse: WriteGuard = (name) => {
    throw new Error(`${name} is refused`);
  };
  const count = await counting(counter);

  await guardWrites(refuse, async () => {
    await expect(count.run([])).rejects.toThrow('count is refused');
    await expect(count.run([])).rejects.toThrow('count is refused');
  });
  expect((await counter.getValue()).data[0]).toBe(0);
  await guardWrites(
    () => undefined,
    () => count.run([]),
  );
  expect((await counter.getValue()).data[0]).toBe(1);
});
