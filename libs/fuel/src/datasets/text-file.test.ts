import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assertResumable, StateMismatch } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense, drain, elements } from '../../test/toy.js';
import { FuelConfiguration } from '../configuration/config.js';
import { MissingInput } from '../errors.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { Batching } from '../transformers/batching.js';
import { Padding } from '../transformers/padding.js';
import { OneBillionWord } from './one-billion-word.js';
import { TextFile, type TextFileOptions } from './text-file.js';

// Those of the original's documentation.
const DICTIONARY = { '<UNK>': 0, '</S>': 1, this: 2, a: 3, one: 4 };
const LOWER: TextFileOptions = { bosToken: null, preprocess: (line) => line.toLowerCase() };

async function written(contents: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), 'sentences.txt');
  await writeFile(file, contents);
  return file;
}
const read = async (dataset: TextFile): Promise<number[][]> =>
  elements(await drain(dataset.exampleStream()), 'features');

test('2.1-28: a line is an example, of the numbers of its words', async () => {
  const file = await written('This is a sentence\nThis another one');
  const dataset = new TextFile([file], DICTIONARY, LOWER);

  expect(await read(dataset)).toEqual([
    [2, 0, 3, 0, 1],
    [2, 0, 4, 1],
  ]);
  expect(dense(await dataset.exampleStream().next(), 'features')).toMatchObject({ dtype: 'int64', shape: [5] });
});

test('files follow one another, gzipped or not, in any encoding; an empty line is an example', async () => {
  const numbers = new Map(['<S>', '</S>', '<UNK>', 'é', 'b'].map((token, number) => [token, number]));
  const files = [await written(' b\té\r\n\n'), await written(gzipSync('é é\nb')), await written(gzipSync(''))];

  expect(await read(new TextFile(files, numbers))).toEqual([
    [0, 4, 3, 1],
    [0, 1],
    [0, 3, 3, 1],
    [0, 4, 1],
  ]);
  const latin = await written(Buffer.from('é b\n', 'latin1'));
  expect(await read(new TextFile([latin], numbers, { encoding: 'latin1' }))).toEqual([[0, 3, 4, 1]]);
  expect(() => new TextFile([latin], numbers).exampleStream()).toThrow(/is not UTF-8/);
});

test('characters are those of a line without the white space around it', async () => {
  const numbers = new Map(['<UNK>', 'a', '🙂', ' '].map((token, number) => [token, number]));
  const options = { level: 'character', bosToken: null, eosToken: null } as const;

  expect(await read(new TextFile([await written('  a 🙂x \n')], numbers, options))).toEqual([[1, 3, 2, 0]]);
});

test('tokens that the dictionary has not, and files that are not there, are refused', async () => {
  const file = await written('a\n');

  expect(() => new TextFile([file], DICTIONARY)).toThrow('the dictionary has no <S>; add it, or name');
  expect(() => new TextFile([file], DICTIONARY, { ...LOWER, unkToken: '?' })).toThrow(/the dictionary has no \?/);
  expect(() => new TextFile([`${file}.none`], DICTIONARY, LOWER)).toThrow(MissingInput);
});

test('it can be resumed at every line, in each file, as padded batches too; other files or numbers are refused', async () => {
  const files = [await written('this is\n\na'), await written(gzipSync('one\nthis a this\n'))];
  const build = () => new TextFile(files, DICTIONARY, LOWER).exampleStream();

  await assertResumable(build);
  await assertResumable(() => new Padding(new Batching(build(), new ConstantScheme(2))));
  const state = build().state();
  for (const other of [
    new TextFile(files.toReversed(), DICTIONARY, LOWER),
    new TextFile(files, { ...DICTIONARY, one: 5 }, LOWER),
    new TextFile(files, DICTIONARY, { ...LOWER, level: 'character' }),
  ]) {
    expect(() => other.exampleStream().restore(state)).toThrow(StateMismatch);
  }
});

test('2.1-14: partitions of the One Billion Word benchmark are found in a folder of the data path', async () => {
  const root = await temporaryFolder();
  const folder = join(root, '1-billion-word', 'heldout-monolingual.tokenized.shuffled');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'news.en.heldout-00000-of-00050'), 'a this\n');
  await writeFile(join(folder, 'news.en.heldout-00049-of-00050'), 'one\n');
  const numbers = { ...DICTIONARY, '<S>': 9 };
  const from = new FuelConfiguration({ environment: { FUEL_DATA_PATH: ['/nowhere', root].join(delimiter) } });
  const options = { from };

  expect(await read(new OneBillionWord('heldout', [49, 0], numbers, options))).toEqual([
    [9, 4, 1],
    [9, 3, 2, 1],
  ]);
  expect(() => new OneBillionWord('training', [0], numbers, options)).toThrow(
    /no partition 0 of training; give some of 1 to 99/,
  );
  expect(() => new OneBillionWord('heldout', [50], numbers, options)).toThrow(/give some of 0 to 49/);
  expect(() => new OneBillionWord('training', [1], numbers, options)).toThrow(
    /no .*news\.en-00001-of-00100 in \/nowhere, /,
  );
});
