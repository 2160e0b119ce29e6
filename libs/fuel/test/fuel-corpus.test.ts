import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf, takeRow } from '../src/arrays/rows.js';
import {
  adult,
  cifar100,
  describeH5Dataset,
  dtypeOf,
  H5Dataset,
  iris,
  joinRows,
  takeRows,
  writeH5Dataset,
  type Column,
} from '../src/index.js';

const peer = join(import.meta.dirname, 'corpus/fuel_corpus.py');
const source = process.env['FUEL_SOURCE'];

/** What is read of a source of a split. */
interface Told {
  readonly dtype: string | null;
  readonly shapes: readonly (readonly number[])[];
  readonly sha256: string;
  readonly axisLabels: readonly string[];
}
/** By file, split and source. */
type Corpus = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Told>>>>>>;

// Of a Python with h5py and NumPy, where it is not python3: its path in PYTHON.
async function original(command: 'write' | 'tell', folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.env['PYTHON'] ?? 'python3', [peer, command, folder], {
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

async function toldByOriginal(folder: string): Promise<Corpus> {
  return JSON.parse(await original('tell', folder)) as Corpus;
}

describe.skipIf(source === undefined)('(needs FUEL_SOURCE, a folder with the original Fuel) the original Fuel', () => {
  let folder: string;
  let corpus: Corpus;

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'longrun-corpus-')), 'corpus');
    await original('write', folder);
    corpus = await toldByOriginal(folder);
  }, 60_000);
  afterAll(() => rm(join(folder, '..'), { recursive: true }));

  test('reads of its files what Longrun does, in any order and from memory', async () => {
    expect(Object.keys(corpus)).toHaveLength(7);
    for (const [file, splits] of Object.entries(corpus)) {
      for (const loadInMemory of [false, true]) {
        for (const [split, sources] of Object.entries(splits)) {
          const dataset = await H5Dataset.open(join(folder, file), { whichSets: [split], loadInMemory });
          const told = await toldHere(dataset);
          await dataset.close();
          expect([file, split, told]).toEqual([file, split, sources]);
        }
      }
    }
  });

  test('reads of what Longrun writes what it was written of', async () => {
    const rewritten = join(folder, 'rewritten');
    await mkdir(rewritten);
    for (const file of Object.keys(corpus)) await rewrite(join(folder, file), join(rewritten, file));

    expect(await toldByOriginal(rewritten)).toEqual(corpus);
  });

  test('converts Adult, CIFAR-100 and Iris as Longrun does', async () => {
    const converted = join(folder, 'ours');
    await mkdir(converted);
    for (const dataset of [adult, cifar100, iris])
      await dataset.convert(join(folder, 'raw'), join(converted, dataset.outputName({})), {});

    expect(await readdir(converted)).toHaveLength(3);
    expect(await toldByOriginal(converted)).toEqual(await toldByOriginal(join(folder, 'converted')));
  });
});

async function toldHere(dataset: H5Dataset): Promise<Record<string, Told>> {
  const count = dataset.examplesCount;
  const order = Uint32Array.from({ length: count }, (_, i) => (i * 7 + 3) % count);
  // Every row once: 7 divides none of the counts of the corpus.
  expect(new Set(order).size).toBe(count);
  const { columns: shuffled } = await dataset.getData(order);
  const back = Uint32Array.from({ length: count }, (_, row) => order.indexOf(row));
  return Object.fromEntries(
    [...shuffled].map(([name, column]) => {
      const rows = Array.from(back, (at) => takeRow(column, at));
      const digest = createHash('sha256');
      for (const row of rows) digest.update(bytesOf(row));
      const labels = dataset.axisLabels?.get(name) ?? [];
      const told: Told = {
        dtype: dtypeOf(column),
        shapes: rows.map(({ shape }) => [...shape]),
        sha256: digest.digest('hex'),
        axisLabels: labels,
      };
      return [name, told];
    }),
  );
}

/** The rows and the splits of a file in a file of our own. */
async function rewrite(from: string, to: string): Promise<void> {
  const { sources, splits, attributes } = await describeH5Dataset(from);
  const columns = new Map<string, Column>();
  for (const { name, shape } of sources) {
    // Rows that several splits have, put together again.
    const known: (Column | undefined)[] = Array.from({ length: shape[0] ?? 0 });
    for (const split of splits.filter((each) => each.sources.includes(name))) {
      const dataset = await H5Dataset.open(from, { whichSets: [split.name], sources: [name] });
      const { columns: part } = await dataset.getData({ start: 0, stop: dataset.examplesCount });
      await dataset.close();
      const column = part.get(name);
      if (column === undefined) throw new Error(`there is no ${name}`);
      rowsOfRange(split.ranges[name] ?? []).forEach((row, at) => {
        known[row] = takeRows(column, Uint32Array.of(at));
      });
    }
    const [some] = known.filter((row) => row !== undefined);
    if (some === undefined) throw new Error(`there are no rows of ${name}`);
    columns.set(
      name,
      joinRows(
        known.map((row) => row ?? some),
        name,
      ),
    );
  }
  await writeH5Dataset(
    to,
    async (writer) => {
      for (const [name, column] of columns) await writer.append({ [name]: column });
      return Object.fromEntries(
        splits.map(({ name, ranges }) => [
          name,
          Object.fromEntries(
            Object.entries(ranges).map(([of, range]) => [
              of,
              'start' in range ? { ...range, comment: 'again' } : { start: -1, stop: -1, indices: range },
            ]),
          ),
        ]),
      );
    },
    {
      axisLabels: Object.fromEntries(
        sources.flatMap(({ name, axisLabels }) => (axisLabels.length === 0 ? [] : [[name, axisLabels]])),
      ),
      ragged: sources.filter(({ ragged }) => ragged).map(({ name }) => name),
      command: attributes['fuel_convert_command'] ?? 'longrun rewrite',
    },
  );
}

function rowsOfRange(range: { readonly start: number; readonly stop: number } | readonly number[]): readonly number[] {
  return 'start' in range ? Array.from({ length: range.stop - range.start }, (_, i) => range.start + i) : range;
}
