import type { Profile } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { BrickProfile } from './brick-profile.js';

function op(name: string, part: string | undefined, timeMs: number): Profile['ops'][number] {
  return { op: name, part, kernels: [name], on: 'engine', calls: 1, timeMs, outputBytes: 8 };
}

test('the time of a brick is that of its ops, and of its children', () => {
  const ops = [
    op('dot', '/mlp/linear_0', 5),
    op('add', '/mlp/linear_0', 1),
    op('tanh', '/mlp', 2),
    op('mul', '(step rule)', 1),
    op('copy', undefined, 0.5),
    op('sum', '/cost/inner/sum', 0.5),
  ];
  const profile = new BrickProfile({ ops, runs: 4, timeMs: 10 });

  expect(profile.bricks.map(({ path, ownMs, timeMs }) => [path, ownMs, timeMs])).toEqual([
    ['/cost', 0, 0.5],
    ['/cost/inner', 0, 0.5],
    ['/cost/inner/sum', 0.5, 0.5],
    ['/mlp', 2, 8],
    ['/mlp/linear_0', 6, 6],
    ['(outside of bricks)', 0.5, 0.5],
    ['(step rule)', 1, 1],
  ]);
  expect(profile.toString().split('\n').slice(1, 7)).toEqual([
    'Brick                       ms   of all     own ms  slowest op of its own',
    '/cost                    0.500    5.0 %      0.000',
    '  /inner                 0.500    5.0 %      0.000',
    '    /sum                 0.500    5.0 %      0.500  sum by sum',
    '/mlp                     8.000   80.0 %      2.000  tanh by tanh',
    '  /linear_0              6.000   60.0 %      6.000  dot by dot',
  ]);
});
