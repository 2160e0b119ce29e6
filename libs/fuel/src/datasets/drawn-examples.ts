import { RandomAt, RandomKey, range } from '@longrun/serialization';
import type { Columns } from '../arrays/column.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import { Batching } from '../transformers/batching.js';
import { FilterSources } from '../transformers/filter-sources.js';
import { Mapping } from '../transformers/mapping.js';
import { IterableDataset } from './iterable-dataset.js';

/** Examples that no file has, and how they are made. */
export interface DrawnExamples {
  /** The names of the arrays that `draw` gives. */
  readonly sources: readonly string[];
  /** How many there are in an epoch. */
  readonly examplesCount: number;
  readonly batchSize: number;
  readonly seed: number;
  /** What draws them: under another name others come. */
  readonly stage: string;
  /** Whether each epoch has others. Default true. */
  readonly isRenewed?: boolean;
  /** Makes an example, of nothing but these numbers. */
  readonly draw: (random: RandomAt) => Columns;
}

/**
 * Batches of examples that are drawn as they are needed. The numbers that make one follow from seed, stage, epoch and its place in that, so that a
 * stream goes on from anywhere: where it is, is all its state.
 */
export function drawnExamples(options: DrawnExamples): DataStream {
  const { sources, examplesCount, batchSize, seed, stage, isRenewed = true, draw } = options;
  const key = new RandomKey(seed, stage);
  const numbers = new IterableDataset({ number: range(examplesCount) }).exampleStream();
  const drawn = new Mapping(numbers, (_, { epoch, index }) => draw(new RandomAt(key, isRenewed ? epoch : 0, index)), {
    addSources: sources,
  });
  return new Batching(new FilterSources(drawn, sources), new ConstantScheme(batchSize));
}
