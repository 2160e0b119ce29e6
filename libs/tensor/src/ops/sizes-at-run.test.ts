import { describe, expect, test } from 'vitest';

import {
  add,
  cast,
  compile,
  concatenate,
  dimshuffle,
  dot,
  pick,
  reshape,
  slice,
  tensor,
  type Variable,
} from '../index.js';
import { array } from '../../test/op-laws.js';

describe('sizes that disagree only when the graph runs', () => {
  const [x, a, b] = [tensor('x', 'float32', [6]), tensor('a', 'int64', []), tensor('b', 'int64', [])];
  const [first, second] = [slice(x, 0, a), slice(x, 0, b)];
  const disagreements = [
    { name: 'add', output: add(first, second), message: 'add: `slice.0` float32 (null,) of size (1,) and' },
    {
      name: 'concatenate',
      output: concatenate([column(first), column(second)], 1),
      message: 'of sizes (1, 1), (3, 1)',
    },
    { name: 'dot', output: dot(first, column(second)), message: 'dot: `slice.0` float32 (null,) of size (1,)' },
    {
      name: 'pick',
      output: pick(reshape(x, [3, 2]), cast(first, 'int64')),
      message: 'pick: `cast.0` int64 (null,) of size (1,) does not index the rows',
    },
  ];

  test.each(disagreements)('are an error of the reference engine: $name', async ({ output, message }) => {
    const f = await compile({ inputs: [x, a, b], outputs: [output], engine: 'reference', onUnusedInput: 'ignore' });
    const run = f.run([array('float32', [6], [1, 2, 3, 4, 5, 6]), array('int64', [], [1]), array('int64', [], [3])]);
    await expect(run).rejects.toThrow(message);
  });

  test.each(disagreements.slice(1))('are an error of ONNX Runtime: $name', async ({ name, output }) => {
    const f = await compile({ inputs: [x, a, b], outputs: [output], onUnusedInput: 'ignore' });
    const run = f.run([array('float32', [6], [1, 2, 3, 4, 5, 6]), array('int64', [], [1]), array('int64', [], [3])]);
    await expect(run).rejects.toThrow(name);
  });
});

function column(part: Variable): Variable {
  return dimshuffle(part, [0, 'x']);
}
