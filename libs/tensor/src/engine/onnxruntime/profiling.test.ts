import { expect, test } from 'vitest';

import { kernelCalls } from './profiling.js';

function kernel(name: string, ts: number, dur: number): object {
  const args = { op_name: name.split('/').at(-1)?.split('_')[0], output_size: '8' };
  return { cat: 'Node', name: `${name}_kernel_time`, ts, dur, args };
}

function run(ts: number, dur: number): object {
  return { cat: 'Session', name: 'model_run', ts, dur, args: {} };
}

test('kernels inside of others do not count twice, and those of the first run not at all', () => {
  const calls = kernelCalls([
    kernel('tanh(x)/Tanh_v1', 5, 90),
    run(0, 100),
    kernel('tanh(/mlp/x)/Tanh_v2', 210, 100),
    kernel('tanh(/mlp/x)/Tanh_v2', 310, 100),
    kernel('scan(x)/Scan_v3', 205, 300),
    kernel('fused', 600, 50),
    run(200, 500),
  ]);
  expect(calls.map(({ op, kernel: name, timeMs }) => [op, name, timeMs])).toEqual([
    ['scan(x)', 'Scan', 0.1],
    ['tanh(/mlp/x)', 'Tanh', 0.1],
    ['tanh(/mlp/x)', 'Tanh', 0.1],
    ['fused', 'fused', 0.05],
  ]);
});
