import { expect, test } from 'vitest';

import { kernelCalls } from './profiling.js';

function kernel(name: string, ts: number, dur: number): object {
  const args = { op_name: name.split('/').at(-1)?.split('_')[0], output_size: '8' };
  return { cat: 'Node', name: `${name}_kernel_time`, ts, dur, args };
}

function run(ts: number, dur: number): object {
  return { cat: 'Session', name: 'model_run', ts, dur, args: {} };
}

const LABELS = new Map([
  ['tanh(x)', { op: 'tanh(x)', part: undefined }],
  ['tanh(/mlp/x) of /mlp', { op: 'tanh(/mlp/x)', part: '/mlp' }],
  ['scan(x)', { op: 'scan(x)', part: undefined }],
]);

test('kernels inside of others do not count twice, and those of the first run not at all', () => {
  const trace = [
    kernel('tanh(x)/Tanh_v1', 5, 90),
    run(0, 100),
    kernel('tanh(/mlp/x) of /mlp/Tanh_v2', 210, 100),
    kernel('tanh(/mlp/x) of /mlp/Tanh_v2/AFusion', 310, 100),
    kernel('scan(x)/Scan_v3', 205, 300),
    kernel('fused', 600, 50),
    run(200, 500),
  ];
  const calls = kernelCalls(trace, LABELS);
  expect(calls.map(({ op, part, kernel: name, timeMs }) => [op, part, name, timeMs])).toEqual([
    ['scan(x)', undefined, 'Scan', 0.1],
    ['tanh(/mlp/x)', '/mlp', 'Tanh', 0.1],
    ['tanh(/mlp/x)', '/mlp', 'AFusion', 0.1],
    ['fused', undefined, 'fused', 0.05],
  ]);
});
