import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Outputs } from '@longrun/blocks';
import { RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { reversed } from '../reversed-lines.js';
import reverseWords from './reverse-words.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-reverse-words-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('short words come out backwards soon, and what is said of them is what was written', async () => {
  const outputs = await Outputs.open(folder);
  const mainLoop = await reverseWords.build({
    params: { lines: 1600, testLines: 40, words: 2, letters: 2, dim: 24, batchSize: 40, epochs: 1, learningRate: 0.02 },
    seed: 1,
    random: new RandomStreams(1),
    datasets: {},
    target: computeTarget({ threads: 1 }),
    extensions: () => [],
    outputs,
  });
  await mainLoop.run();
  const lines = outputs.output('lines.txt').readText().trimEnd().split('\n');
  const pairs = lines.map((line) => line.split(' -> '));
  const words = pairs.flatMap(([read = '', written = '']) => {
    const actual = written.split(' ');
    return reversed(read)
      .split(' ')
      .map((word, place) => word === actual[place]);
  });
  const wrong = words.filter((isRight) => !isRight).length / words.length;
  const wrongLines = pairs.filter(([read = '', written]) => reversed(read) !== written).length / pairs.length;

  expect(pairs).toHaveLength(40);
  expect(mainLoop.log.row(40)).toMatchObject({ test_words_wrong: wrong, test_lines_wrong: wrongLines });
  // By chance it would be one in 676 that is right.
  expect([wrong < 0.9, wrong > 0]).toEqual([true, true]);
  const [[first = ''] = []] = pairs;
  const figure = outputs.output('attention.svg').readText();
  // A square for each pair of characters, on white.
  expect(figure.match(/<rect/g)).toHaveLength(first.length ** 2 + 1);
});
