import { appendFileSync, readFileSync } from 'node:fs';
import { denseIn, type Columns } from '../../src/arrays/column.js';

import {
  chain,
  cycle,
  filter,
  islice,
  lines,
  map,
  ndarray,
  range,
  type NdArray,
  type VersionedState,
} from '@longrun/serialization';
import { IterableDataset } from '../../src/datasets/iterable-dataset.js';
import { ConstantScheme } from '../../src/schemes/constant-scheme.js';
import type { DataStream } from '../../src/streams/data-stream.js';
import type { Batch } from '../../src/streams/delivery.js';
import { Batching } from '../../src/transformers/batching.js';
import { Cache } from '../../src/transformers/cache.js';
import { Mapping } from '../../src/transformers/mapping.js';

/** One line of the log: what a step gave, and the state after it. */
export interface LoggedStep {
  readonly gave: string;
  readonly state: VersionedState;
}

/** The words of a text, 5 at a time sorted by length, in batches of 3 with their lengths squared, epoch by epoch. */
export function pipeline(text: string): DataStream {
  const words = filter((line: string) => line.trim() !== '', lines(text));
  const dataset = new IterableDataset({
    letters: map(
      (word: string) => Uint8Array.from(word.trim().padEnd(8), (letter) => letter.codePointAt(0) ?? 0),
      words,
    ),
    weight: map(
      (n: number) => ndarray('float32', [], Float32Array.of(n / 3)),
      islice(cycle(chain(range(2), [7, 11])), 13),
    ),
  });
  const sorted = new Mapping(new Batching(dataset.exampleStream(), new ConstantScheme(5)), byWeight);
  return new Mapping(new Cache(sorted, new ConstantScheme(3)), squares, { addSources: ['squares'] });
}

/** Goes on from the last whole line of the log, for some steps, each logged before the next. */
export async function run(text: string, log: string, steps: number): Promise<DataStream> {
  const stream = pipeline(text);
  const last = readLog(log).at(-1);
  if (last !== undefined) stream.restore(last.state);
  let ended = last?.gave === END;
  for (let step = 0; step < steps; step += 1) {
    if (ended) await stream.nextEpoch();
    const batch = ended ? undefined : await stream.next();
    const gave = ended ? 'next epoch' : batch === undefined ? END : shown(batch);
    ended = gave === END;
    appendFileSync(log, `${JSON.stringify({ gave, state: stream.state() } satisfies LoggedStep)}\n`);
  }
  return stream;
}

export function readLog(log: string): readonly LoggedStep[] {
  const text = readFileSync(log, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LoggedStep);
}

const END = 'end of the epoch';

function shown({ columns }: Batch): string {
  return JSON.stringify(
    [...columns.keys()].map((name) => {
      const { dtype, shape, data } = denseIn(columns, name);
      return [name, dtype, shape, [...data].map(Number)];
    }),
  );
}

function byWeight(columns: Columns): Columns {
  const weights = Array.from(denseIn(columns, 'weight').data, Number);
  const order = weights.map((_, row) => row).toSorted((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  return new Map([...columns.keys()].map((source) => [source, rearranged(denseIn(columns, source), order)]));
}

function rearranged({ dtype, shape, data }: NdArray, order: readonly number[]): NdArray {
  const array = ndarray(dtype, shape);
  const width = data.length / order.length;
  for (const [to, from] of order.entries()) {
    for (let i = 0; i < width; i += 1) array.data[to * width + i] = data[from * width + i] ?? 0;
  }
  return array;
}

function squares(columns: Columns): Columns {
  const weights = Array.from(denseIn(columns, 'weight').data, Number);
  return new Map([
    [
      'squares',
      ndarray(
        'float64',
        [weights.length],
        Float64Array.from(weights, (x) => x * x),
      ),
    ],
  ]);
}
