import { expect, test } from 'vitest';

import { readCommandLine, UsageError } from './command-line.js';

test('has defaults', () => {
  expect(readCommandLine(['mlp', '--dataset', 'a.hdf5'])).toEqual({
    program: 'mlp',
    datasets: { train: 'a.hdf5' },
    params: {},
    seed: 1,
    target: { engine: 'onnxruntime', provider: 'cpu', device: 0, threads: 2 },
    checkpoints: undefined,
    everyBatches: 100,
    outputs: 'outputs',
  });
});

test('puts outputs beside the checkpoints, or where it is told', () => {
  const outputs = (line: string): string => readCommandLine(`mlp --dataset a ${line}`.split(' ')).outputs;

  expect(outputs('--checkpoints /tmp/x')).toBe('/tmp/x/outputs');
  expect(outputs('--checkpoints /tmp/x --outputs there')).toBe('there');
});

test('takes datasets by role', () => {
  const datasets = (line: string): unknown => readCommandLine(`mlp ${line}`.split(' ')).datasets;

  expect(datasets('--dataset a --dataset valid=b --epochs 2 --dataset test-2=/c=d')).toEqual({
    train: 'a',
    valid: 'b',
    'test-2': '/c=d',
  });
  expect(datasets('--dataset ./a=b.hdf5')).toEqual({ train: './a=b.hdf5' });
});

test('takes every other option for a param, as JSON or text', () => {
  const { params, seed, checkpoints } = readCommandLine(
    'mlp --epochs 1 --dataset a --dims [4,2] --optimizer scale --seed 9 --checkpoints /tmp/x'.split(' '),
  );

  expect(params).toEqual({ epochs: 1, dims: [4, 2], optimizer: 'scale' });
  expect([seed, checkpoints]).toEqual([9, '/tmp/x']);
});

test.each([
  ['', 'Usage: '],
  ['--dataset a', 'Usage: '],
  ['mlp', '--dataset is missing'],
  ['mlp --dataset', '--dataset is not an option with a value'],
  ['mlp dataset a', 'dataset is not an option with a value'],
  ['mlp --dataset a --dataset train=b', '--dataset is given twice for the role train, a and b; give one of them'],
  ['mlp --dataset a --threads 0', '--threads is 0; give a whole number of at least 1'],
  ['mlp --dataset a --seed x', '--seed is x; give a whole number of at least 0'],
  ['mlp --dataset a --engine cuda', 'There is no engine cuda; there are onnxruntime, tfjs, reference'],
  ['mlp --dataset a --provider tpu', 'The engine onnxruntime has no provider tpu; there are cpu'],
  ['mlp --dataset a --device 1', 'device is 1, but cpu of onnxruntime is one device; leave it out'],
])('refuses "%s"', (line, message) => {
  const read = (): unknown => readCommandLine(line.split(' ').filter((word) => word !== ''));

  expect(read).toThrow(UsageError);
  expect(read).toThrow(message);
});
