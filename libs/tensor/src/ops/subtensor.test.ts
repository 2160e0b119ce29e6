import { describe, expect, test } from 'vitest';

import {
  add,
  index,
  incSubtensor,
  mul,
  setSubtensor,
  square,
  tensor,
  type Subtensor,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread, type Build } from '../../test/op-laws.js';

const parts: readonly {
  readonly where: string;
  readonly part: (at: Variable) => Subtensor;
  readonly shape: number[];
}[] = [
  { where: 'a slice', part: () => ({ start: 1, stop: -1, axis: 1 }), shape: [3, 2] },
  { where: 'a slice with steps, broadcast', part: () => ({ step: -2 }), shape: [4] },
  { where: 'a slice from a computed index on', part: (at) => ({ start: index(at, 0), axis: -1 }), shape: [] },
  { where: 'rows', part: (at) => ({ indices: at }), shape: [2, 4] },
];

describe.each([
  { name: 'setSubtensor', write: setSubtensor },
  { name: 'incSubtensor', write: incSubtensor },
])('1.T-55 $name', ({ write }) => {
  test.each(parts)('of $where: gradients for both are right on both engines', async ({ part, shape }) => {
    const build: Build = (x, value, at) => {
      const written = write(present(x), mul(present(value), 3), part(present(at)));
      return mul(square(written), written);
    };
    const values = [spread([3, 4], -2, 2), spread(shape, -2, 2, 1), array('int64', [2], [-2, 0])];
    await expectGradientsRight(build, values);
    await expectEnginesAgree(build, values, { gradients: true });
  });

  test('what cannot be written is refused', () => {
    const [n, x] = [tensor('n', 'int64', [3]), tensor('x', 'float32', [3])];
    expect(() => write(n, x, {})).toThrow('`x` float32 (3,) cannot be held by `n` int64 (3,); cast one of them');
    expect(() => write(x, tensor('v', 'float32', [2]), { stop: 1, step: 1 })).toThrow(
      'broadcastTo: `v` float32 (2,) does not broadcast to (1,)',
    );
    const both = { indices: tensor('at', 'int64', [2]), start: 1, step: 2 };
    expect(() => write(x, 1, both)).toThrow(
      'a part of `x` float32 (3,) has both indices and start, step; give indices, or a range, not both',
    );
    expect(write(x, 1, { ...both, start: undefined, step: undefined } as Subtensor).shape).toEqual([3]);
    expect(() => write(x, 1, { indices: tensor('at', 'int64', []) })).toThrow('`at` int64 () must be a vector');
  });
});

test.each(['reference', 'onnxruntime'] as const)('NaN that is written over is gone: %s', async (engine) => {
  const x = array('float32', [3], [Number.NaN, 1, Infinity]);
  const written = await evaluate(engine, (v) => setSubtensor(present(v), 0, { step: 2 }), [x]);
  expectClose(written, array('float32', [3], [0, 1, 0]));
});

test('an index that comes twice is added to twice', async () => {
  const at = array('int64', [3], [1, 1, -1]);
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const build: Build = (x, where) => incSubtensor(add(present(x), 1), 5, { indices: present(where) });
    const got = await evaluate(engine, build, [array('int32', [3], [0, 0, 0]), at]);
    expectClose(got, array('int32', [3], [1, 11, 6]));
  }
});
