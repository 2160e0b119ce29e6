import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { assertResumable, cycle, islice, map, ndarray, RandomAt, RandomKey, range } from '@longrun/serialization';
import { build as bundle } from 'vite';
import { expect, test } from 'vitest';
import { pipeline, readLog, run } from './children/iterable-pipeline.js';
import {
  Batching,
  Cache,
  ConstantScheme,
  DatasetStream,
  DictionaryTokenizer,
  denseIn,
  IterableDataset,
  Mapping,
  Padding,
  SequentialScheme,
  SortMapping,
  Tokenizing,
  type DataStream,
} from '../src/index.js';
import { temporaryFolder } from './folder.js';
import { dense, toyDataset } from './toy.js';

const WORDS = 'the quick brown fox\n\njumps over a lazy dog and runs away again'.split(' ').join('\n');

test('iterators, batches, a cache and mappings can be saved at every step of three epochs', async () => {
  const text = path.join(await temporaryFolder(), 'words.txt');
  await writeFile(text, WORDS);

  await assertResumable(() => pipeline(text), { epochs: 3 });
});

test('processes that are killed, one after each few steps, give together what one gives that is not', async () => {
  const folder = await temporaryFolder();
  const [text, whole, parts] = ['words.txt', 'whole.jsonl', 'parts.jsonl'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(text, WORDS);
  await writeFile(whole, '');
  await writeFile(parts, '');
  const program = await bundled(folder);

  await run(text, whole, 21);
  for (const steps of [1, 2, 3, 4, 5, 6]) {
    const { signal, stderr } = spawnSync(process.execPath, [program, text, parts, String(steps)], { encoding: 'utf8' });
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  }

  const uncut = readLog(whole);
  expect(uncut.filter(({ gave }) => gave === 'next epoch')).toHaveLength(3);
  expect(readLog(parts)).toEqual(uncut);
});

test('the example of the README', async () => {
  const squares = () =>
    new IterableDataset({
      features: map((n: number) => Float32Array.of(n, n * n), range(60)),
      targets: islice(cycle([0, 1]), 60),
    });
  const build = () => new Cache(new Batching(squares().exampleStream(), new ConstantScheme(20)), new ConstantScheme(8));

  const stream = build();
  const first = await stream.next();
  const shown = (source: string) => [source, dense(first, source).dtype, dense(first, source).shape];
  expect([...(first?.columns.keys() ?? [])].map(shown)).toEqual([
    ['features', 'float32', [8, 2]],
    ['targets', 'float64', [8]],
  ]);
  const saved = JSON.stringify(stream.state());
  expect(saved.length).toBeLessThan(1000);
  const resumed = build();
  resumed.restore(JSON.parse(saved));
  const second = await resumed.next();
  expect(second).toEqual(await stream.next());
  expect([...dense(second, 'features').data].filter((_, i) => i % 2 === 0)).toEqual([...range(8, 16)]);
  await assertResumable(build);
});

test('the other examples of the README', async () => {
  const words = () => new IterableDataset({ words: ['four', 'a', 'six', 'be'] });
  const build = () => {
    const batches = new Batching(words().exampleStream(), new ConstantScheme(4));
    const sorted = new Mapping(batches, new SortMapping((example) => example.get('words')?.data.length ?? 0));
    return new Padding(new Cache(sorted, new ConstantScheme(2)), { maskDtype: 'bool' });
  };
  const batch = await build().next();
  expect(dense(batch, 'words')).toEqual(ndarray('uint8', [2, 2], Uint8Array.from(Buffer.from('a\0be'))));
  expect(dense(batch, 'words_mask')).toEqual(ndarray('bool', [2, 2], Uint8Array.of(1, 0, 1, 1)));

  const texts = new IterableDataset({ text: ['the bee', 'a bee'] });
  const tokenizer = new DictionaryTokenizer({ '<S>': 0, '</S>': 1, '<UNK>': 2, the: 3, bee: 4 });
  const tokens = new Tokenizing(new Batching(texts.exampleStream(), new ConstantScheme(2)), { tokenizer });
  expect(Array.from(dense(await tokens.next(), 'text').data, Number)).toEqual([0, 3, 4, 1, 0, 2, 4, 1]);

  const key = new RandomKey(3, 'jitter');
  const jittered = (stream: DataStream): DataStream =>
    new Mapping(stream, (columns, { epoch, index }) => {
      const { shape, data } = denseIn(columns, 'features');
      const shift = new RandomAt(key, epoch, index).uniform();
      const features = Float32Array.from(Array.from(data, Number), (x) => x + shift);
      return new Map([...columns, ['features', ndarray('float32', shape, features)]]);
    });
  const stream = jittered(new DatasetStream(toyDataset(4), new SequentialScheme(4, 2)));
  const [first, second] = [await stream.next(), await stream.next()];
  expect(dense(first, 'features').data[0]).not.toBe(dense(second, 'features').data[0]);
  await assertResumable(() => jittered(new DatasetStream(toyDataset(4), new SequentialScheme(4, 2))));
});

/** The program as Node runs it, of the source as it is now. */
async function bundled(folder: string): Promise<string> {
  await bundle({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@longrun/source'] },
    build: {
      ssr: path.join(import.meta.dirname, 'children', 'iterable-pipeline-run.ts'),
      target: 'node20',
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'run.mjs' } },
    },
    ssr: { noExternal: true, resolve: { conditions: ['@longrun/source', 'node'] } },
  });
  return path.join(folder, 'run.mjs');
}
