import { expect, test } from 'vitest';

import { broadcastTo, compile, dimension, mul, ones, square, tensor, zeros } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, expectClose, expectGradientsRight, present, spread, type Build } from '../../test/op-laws.js';

test('1.T-16 the gradient is summed over what was repeated', async () => {
  const values = [spread([2, 1], -2, 2), spread([3, 2, 4], -2, 2, 1)];
  const build: Build = (x, y) =>
    square(mul(broadcastTo(present(x), [dimension(present(y), 0), 2, dimension(present(y), 2)]), present(y)));
  await expectGradientsRight(build, values);
  await expectEnginesAgree(build, values, { gradients: true });
});

test.each(['reference', 'onnxruntime'] as const)(
  '1.T-48, 1.T-50 ones and zeros have sizes that are computed: %s',
  async (engine) => {
    const x = tensor('x', 'float32', [null, 3]);
    const outputs = [ones([dimension(x, 0), 2]), zeros([2, dimension(x, 0)], 'int64')];
    const f = await compile({ inputs: [x], outputs, engine });
    for (const rows of [0, 2]) {
      const [one, zero] = await f.run([
        array(
          'float32',
          [rows, 3],
          Array.from({ length: 3 * rows }, () => 7),
        ),
      ]);
      const of = (value: number): number[] => Array.from({ length: 2 * rows }, () => value);
      expectClose(present(one), array('float32', [rows, 2], of(1)));
      expectClose(present(zero), array('int64', [2, rows], of(0)));
    }
    await f.dispose();
  },
);

test('a shape that it cannot be given is refused, when the graph is built or when it runs', async () => {
  const x = tensor('x', 'float32', [null, 3]);
  expect(() => broadcastTo(x, [4, 2])).toThrow(
    'broadcastTo: `x` float32 (null, 3) does not broadcast to (4, 2); sizes must be equal, or 1 where the graph says so',
  );
  expect(() => broadcastTo(x, [3])).toThrow('does not broadcast to (3,)');
  expect(() => ones([-1])).toThrow('does not broadcast to (-1,)');
  expect(broadcastTo(x, [4, 3]).shape).toEqual([4, 3]);
  const f = await compile({ inputs: [x], outputs: [broadcastTo(x, [4, 3])], engine: 'reference' });
  await expect(f.run([array('float32', [2, 3], [1, 2, 3, 4, 5, 6])])).rejects.toThrow('of size (2, 3) does not');
});
