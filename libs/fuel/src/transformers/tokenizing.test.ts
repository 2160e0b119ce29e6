import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StateMismatch } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { toyDataset } from '../../test/toy.js';
import { isRagged, type Column } from '../arrays/column.js';
import { takeRow } from '../arrays/rows.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { CorruptInput, MissingInput } from '../errors.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { BytePairTokenizer } from '../text/byte-pair-tokenizer.js';
import { DictionaryTokenizer } from '../text/dictionary-tokenizer.js';
import { Batching } from './batching.js';
import { Tokenizing } from './tokenizing.js';

const DICTIONARY = { '<S>': 0, '</S>': 1, '<UNK>': 2, this: 3, a: 4, é: 5 };
const goldens = join(import.meta.dirname, '../../test/goldens');
const bytePairs = (): BytePairTokenizer =>
  BytePairTokenizer.read(join(goldens, 'byte-pairs-vocab.json'), join(goldens, 'byte-pairs-merges.txt'));

function rowsOf(column: Column | undefined, count: number): number[][] {
  if (column === undefined) throw new Error('there is no such column');
  return Array.from({ length: count }, (_, row) => Array.from(takeRow(column, row).data, Number));
}

test('texts become the numbers of their words, examples by themselves and in batches; other sources stay', async () => {
  const texts = new IterableDataset({ text: ['this é', '', ' a\tbear '], number: [7, 8, 9] });
  const tokenizer = new DictionaryTokenizer(DICTIONARY);
  const stream = new Tokenizing(texts.exampleStream(), { tokenizer, whichSources: ['text'] });

  const first = await stream.next();
  expect(first?.columns.get('text')).toMatchObject({
    dtype: 'int64',
    shape: [4],
    data: BigInt64Array.of(0n, 3n, 5n, 1n),
  });
  expect(first?.columns.get('number')).toMatchObject({ data: Float64Array.of(7) });

  const batches = new Batching(texts.exampleStream(), new ConstantScheme(3));
  const batch = await new Tokenizing(batches, { tokenizer, whichSources: ['text'] }).next();
  const column = batch?.columns.get('text');
  expect(column !== undefined && isRagged(column)).toBe(true);
  expect(rowsOf(column, 3)).toEqual([
    [0, 3, 5, 1],
    [0, 1],
    [0, 4, 2, 1],
  ]);
});

test('characters are tokens, where that is asked for, and nothing begins or ends a text', () => {
  const options = { level: 'character', bosToken: null, eosToken: null } as const;

  expect(new DictionaryTokenizer(DICTIONARY, options).encode(' aéb ')).toEqual([4, 5, 2]);
});

test('byte pairs are those of Hugging Face’s tokenizers', async () => {
  const text = await readFile(join(goldens, 'byte-pairs.json'), 'utf8');
  const cases = JSON.parse(text) as readonly { readonly text: string; readonly numbers: readonly number[] }[];
  const tokenizer = bytePairs();

  expect(cases.length).toBeGreaterThan(10);
  for (const each of cases) expect([each.text, tokenizer.encode(each.text)]).toEqual([each.text, each.numbers]);
});

test('a token may begin and end a text of byte pairs', () => {
  const files = [join(goldens, 'byte-pairs-vocab.json'), join(goldens, 'byte-pairs-merges.txt')] as const;

  expect(BytePairTokenizer.read(...files, { bosToken: '!', eosToken: 'the' }).encode('the')).toEqual([0, 263, 263]);
  expect(() => BytePairTokenizer.read(...files, { bosToken: '<S>' })).toThrow(/no <S>; add it/);
});

test('files that are no byte-pair encoding are refused by name', async () => {
  const folder = await temporaryFolder();
  const [vocabulary, merges] = [join(goldens, 'byte-pairs-vocab.json'), join(goldens, 'byte-pairs-merges.txt')];
  const wrong = async (text: string): Promise<string> => {
    const path = join(folder, 'wrong');
    await writeFile(path, text);
    return path;
  };

  expect(() => BytePairTokenizer.read(join(folder, 'none'), merges)).toThrow(MissingInput);
  for (const text of ['{', '[]', '{"a": "b"}', '{"a": -1}']) {
    const path = await wrong(text);
    expect(() => BytePairTokenizer.read(path, merges)).toThrow(CorruptInput);
  }
  const three = await wrong('#version: 0.2\nt h\na b c\n');
  expect(() => BytePairTokenizer.read(vocabulary, three)).toThrow(/wrong: merge 2 is "a b c", but two tokens/);
  const letters = await wrong('{"a": 0}');
  expect(() => BytePairTokenizer.read(letters, merges)).toThrow(/the dictionary has no /);
});

test('the state of another dictionary, level or encoding is refused', () => {
  const over = (tokenizer: DictionaryTokenizer | BytePairTokenizer): Tokenizing =>
    new Tokenizing(new IterableDataset({ text: ['a'] }).exampleStream(), { tokenizer });
  const stream = over(new DictionaryTokenizer(DICTIONARY));

  over(new DictionaryTokenizer(new Map(Object.entries(DICTIONARY)))).restore(stream.state());
  for (const other of [
    new DictionaryTokenizer({ ...DICTIONARY, a: 9 }),
    new DictionaryTokenizer(DICTIONARY, { level: 'character' }),
    new DictionaryTokenizer(DICTIONARY, { eosToken: null }),
    bytePairs(),
  ])
    expect(() => over(other).restore(stream.state())).toThrow(StateMismatch);
  expect(String(stream)).toMatch(/^Tokenizing\(level word, bosToken <S>, eosToken <\/S>, .*\) ← /);
});

test('what is no text is refused, and a dictionary without whole numbers', async () => {
  const tokenizer = new DictionaryTokenizer(DICTIONARY);
  const latin = new IterableDataset({ text: [Uint8Array.of(0xe9)] }).exampleStream();

  await expect(new Tokenizing(latin, { tokenizer }).next()).rejects.toThrow(
    /an example of text is uint8 \(1\), and no text/,
  );
  const images = new Tokenizing(toyDataset(3).exampleStream(), { tokenizer });
  await expect(images.next()).rejects.toThrow(/features is uint8 \(2, 3\), and no text .* whichSources/);
  expect(() => new DictionaryTokenizer({ ...DICTIONARY, b: 0.5 })).toThrow(/0\.5 for "b"; give a whole number/);
});
