import { expect, onTestFinished, test } from 'vitest';

import { limitedEngine } from '../../test/limited-engine.js';
import { array } from '../../test/op-laws.js';
import {
  abs,
  compile,
  engineNamed,
  mul,
  registerEngine,
  scalar,
  shared,
  sum,
  tanh,
  vector,
  type Executable,
  type StoredValue,
} from '../index.js';

const x = scalar('x');
/** The engine computes one `abs`, the host `tanh`, and the engine the other `abs`. */
const output = abs(tanh(abs(x)));

/** An engine that leaves `tanh` to the host and fails to compile at the call of that number; says what became of each part. */
function countingEngine(
  name: string,
  failsAt: number,
): { name: string; compiled: Executable[]; disposed: Executable[]; made: StoredValue[] } {
  const [compiled, disposed]: [Executable[], Executable[]] = [[], []];
  const made: StoredValue[] = [];
  const base = engineNamed(limitedEngine({ hostOps: ['tanh'] }));
  const unregister = registerEngine({
    ...base,
    name,
    async compile(graph, target) {
      if (compiled.length === failsAt) throw new Error('it cannot any more');
      const executable = await base.compile(graph, target);
      const counted: Executable = {
        async run(inputs) {
          const results = await executable.run(inputs);
          made.push(...results);
          return results;
        },
        dispose: async () => void disposed.push(counted),
      };
      compiled.push(counted);
      return counted;
    },
  });
  onTestFinished(unregister);
  return { name, compiled, disposed, made };
}

test('all parts that the engine runs are disposed of together', async () => {
  const { name, compiled, disposed } = countingEngine('counting', Infinity);
  const f = await compile({ inputs: [x], outputs: [output], engine: name });
  expect((await f.run([array('float32', [], [-2])]))[0]?.data[0]).toBeCloseTo(Math.tanh(2), 6);
  await f.dispose();
  expect(compiled).toHaveLength(2);
  expect(disposed).toEqual(compiled);
});

test('a part that cannot be compiled leaves none of the others behind', async () => {
  const { name, compiled, disposed } = countingEngine('failing', 1);
  await expect(compile({ inputs: [x], outputs: [output], engine: name })).rejects.toThrow('it cannot any more');
  expect(compiled).toHaveLength(1);
  expect(disposed).toEqual(compiled);
});

test('what one part makes for another goes with the run', async () => {
  const { name, made } = countingEngine('holding', Infinity);
  const [y, W] = [vector('y'), shared(1, 'W')];
  const f = await compile({
    inputs: [x, y],
    outputs: [output, W],
    updates: [[W, sum(mul(y, abs(tanh(abs(x)))))]],
    engine: name,
  });
  const two = array('float32', [], [-2]);
  expect((await f.run([two, array('float32', [1], [3])]))[1]?.data[0]).toBe(1);
  expect((await W.getValue()).data[0]).toBeCloseTo(3 * Math.tanh(2), 6);
  // The parameter holds the last of them.
  expect(made.filter((value) => !isGone(value))).toHaveLength(1);
});

function isGone(value: StoredValue): boolean {
  try {
    value.retain().release();
    return false;
  } catch {
    return true;
  }
}
