import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { add, compile, constant, mul, scan, shared, tensor } from '../index.js';
import { present } from '../../test/op-laws.js';

test('a function says what it holds: constants, inside of a scan too, and the state that it reads or writes', async () => {
  const x = tensor('x', 'float32', [5]);
  const W = shared(ndarray('float32', [5]), 'W');
  const count = shared(ndarray('int64', [3]), 'count');
  const table = constant(ndarray('float32', [100]));
  const f = await compile({
    inputs: [x],
    outputs: [add(x, W), ...scan((row) => mul(table, row), { sequences: [x] })],
    updates: [
      [W, add(x, W)],
      [count, constant(ndarray('int64', [3]))],
    ],
  });
  const { constantBytes, stateBytes } = f.explain();
  // The number of steps, an int64, is a constant too.
  expect({ constantBytes, stateBytes }).toEqual({ constantBytes: 400 + 24 + 8, stateBytes: 20 + 24 });
  expect(present(String(f.explain()).split('\n').at(-1))).toBe(
    '  holds 44 bytes of shared variables and 432 of constants',
  );
});
