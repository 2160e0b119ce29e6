import { denseOf, remainingBatches } from '@longrun/fuel';
import { expect, test } from 'vitest';

import { decoded, linesStream, reversed } from './reversed-lines.js';

async function linesOf(split: 'train' | 'test', epochs = 1): Promise<(readonly [read: string, wanted: string])[]> {
  const stream = linesStream(split, { lines: 150, words: 3, letters: 4, batchSize: 64, seed: 1 });
  const lines: (readonly [string, string])[] = [];
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for await (const { columns } of remainingBatches(stream)) {
      const [read = [], wanted = []] = ['characters', 'reversed'].map((source) => {
        const { shape, data } = denseOf(
          columns.get(source) ?? { dtype: 'int64', shape: [0], data: new BigInt64Array() },
          source,
        );
        const places = Array.from<number | bigint, number>(data, Number);
        const width = shape[1] ?? 0;
        return Array.from({ length: shape[0] ?? 0 }, (_, row) => decoded(places.slice(row * width, (row + 1) * width)));
      });
      lines.push(...read.map((line, row) => [line, wanted[row] ?? ''] as const));
    }
    await stream.nextEpoch();
  }
  return lines;
}

test('words are written backwards in their order', async () => {
  expect(reversed('abc de f')).toBe('cba ed f');
  for (const [read, wanted] of await linesOf('test')) {
    expect(read).toMatch(/^[a-z]{2,4}( [a-z]{2,4}){0,2}$/);
    expect(wanted).toBe(reversed(read));
  }
});

test('no word that is held out is trained on; lines of training are new with each epoch, those of the test the same', async () => {
  const wordsOf = (lines: readonly (readonly [string, string])[]): string[] =>
    lines.flatMap(([line]) => line.split(' '));
  const [train, held] = [await linesOf('train', 3), await linesOf('test', 2)];
  const trained = new Set(wordsOf(train));

  expect(wordsOf(held).filter((word) => trained.has(word))).toEqual([]);
  expect(train).toHaveLength(450);
  expect(train.slice(150, 300)).not.toEqual(train.slice(0, 150));
  expect(held.slice(150)).toEqual(held.slice(0, 150));
});
