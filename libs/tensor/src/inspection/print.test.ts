import { expect, test } from 'vitest';

import { compile, mul, printShape, printSum, printValue, tensor, type PrintOptions, type Variable } from '../index.js';
import { array } from '../../test/op-laws.js';

async function linesOf(print: (x: Variable, options: PrintOptions) => Variable, header?: string): Promise<string[]> {
  const lines: string[] = [];
  const x = tensor('x', 'float32', [null, 2]);
  const options = { print: (line: string) => void lines.push(line), ...(header === undefined ? {} : { header }) };
  const f = await compile({ inputs: [x], outputs: [mul(print(x, options), 2)] });
  const results = await f.run([array('float32', [3, 2], [1, 2, 3, 4, 5, 6])]);
  expect(results).toEqual([array('float32', [3, 2], [2, 4, 6, 8, 10, 12])]);
  await f.dispose();
  return lines;
}

test('1.T-06: a variable is printed when it is computed', async () => {
  expect(await linesOf(printValue)).toEqual(['x: float32 (3, 2) [[1, 2], [3, 4], [5, 6]]']);
  expect(await linesOf(printValue, 'features')).toEqual(['features: float32 (3, 2) [[1, 2], [3, 4], [5, 6]]']);
});

test('1.18-35: a sum is printed', async () => {
  expect(await linesOf(printSum)).toEqual(['x: sum 21']);
});

test('1.18-36: a shape is printed', async () => {
  expect(await linesOf(printShape)).toEqual(['x: float32 (3, 2)']);
});

test('lines go to the standard output where nothing else is said', async () => {
  const written: unknown[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text) => written.push(text) > 0;
  const x = tensor('x', 'int32', []);
  try {
    const f = await compile({ inputs: [x], outputs: [printValue(x)], engine: 'reference' });
    await f.run([array('int32', [], [7])]);
  } finally {
    process.stdout.write = write;
  }
  expect(written).toEqual(['x: int32 () 7\n']);
});
