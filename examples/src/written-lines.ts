import { ComputationGraph, TrainingExtension, type BeamSearch, type Output } from '@longrun/blocks';
import { denseOf, remainingBatches, type Batch, type DataStream } from '@longrun/fuel';
import type { NdArray } from '@longrun/serialization';
import type { CompiledFunction, Variable } from '@longrun/tensor';

import { attentionFigure } from './attention-figure.js';
import { decoded, END_OF_LINE, reversed } from './reversed-lines.js';

/** Options of {@link WrittenLines}. */
export interface WrittenLinesOptions {
  /** Lines that are not trained on, the same ones with each epoch. */
  readonly lines: DataStream;
  readonly search: BeamSearch;
  /** Characters in a line, at most, the end included. */
  readonly maxLength: number;
  /** What each character attends to as it is written (time, batch, attended time), of a batch of `lines`. */
  readonly weights: Variable;
  /** Gets the lines of the first batch as they are read and as they are written, with each epoch. */
  readonly table: Output;
  /** Gets a picture of the weights of the first line. */
  readonly figure: Output;
}

/**
 * Writes lines by a beam search after each epoch, and logs which part of their words is not exactly right, `test_words_wrong`, and which part of the lines,
 * `test_lines_wrong`.
 */
export class WrittenLines extends TrainingExtension {
  readonly #options: WrittenLinesOptions;
  #weights: Promise<CompiledFunction> | undefined;

  constructor(options: WrittenLinesOptions) {
    super();
    this.#options = options;
  }

  override async afterEpoch(): Promise<void> {
    const { lines, table } = this.#options;
    const [words, whole] = [new Share(), new Share()];
    let first = true;
    for await (const batch of remainingBatches(lines)) {
      const read = linesOf(column(batch, 'characters'));
      const written = await this.#written(batch);
      if (first) {
        table.write(read.map((line, place) => `${line} -> ${written[place]}\n`).join(''));
        await this.#draw(batch, read[0] ?? '');
      }
      for (const [place, line] of read.entries()) {
        const [expected, actual] = [reversed(line).split(' '), written[place]?.split(' ')];
        for (const [at, word] of expected.entries()) words.add(word !== actual?.[at]);
        whole.add(expected.join(' ') !== written[place]);
      }
      batch.release();
      this.mainLoop.moved();
      first = false;
    }
    await lines.nextEpoch();
    Object.assign(this.mainLoop.log.currentRow, { test_words_wrong: words.value, test_lines_wrong: whole.value });
  }

  async #written(batch: Batch): Promise<readonly string[]> {
    const inputs = new Map(['characters', 'characters_mask'].map((source) => [source, column(batch, source)]));
    const { search, maxLength } = this.#options;
    const found = await search.search(inputs, { eolSymbol: END_OF_LINE, maxLength });
    return found.map(([best]) => decoded(best?.outputs ?? []));
  }

  async #draw(batch: Batch, line: string): Promise<void> {
    const { weights, figure } = this.#options;
    this.#weights ??= new ComputationGraph(weights).getFunction({ ...this.mainLoop.target, name: 'weights' });
    const compiled = await this.#weights;
    const [values] = await compiled.run(compiled.inputs.map((input) => column(batch, input.toString())));
    const [, examples = 0, attended = 0] = values?.shape ?? [];
    const rows = Array.from(line, (_, step) =>
      Array.from(line, (_character, place) => Number(values?.data[step * examples * attended + place])),
    );
    figure.write(attentionFigure(line, reversed(line), rows));
  }
}

/** How many of some are so. */
class Share {
  #count = 0;
  #total = 0;

  add(isSo: boolean): void {
    this.#total += 1;
    if (isSo) this.#count += 1;
  }

  get value(): number {
    return this.#count / this.#total;
  }
}

function column(batch: Batch, source: string): NdArray {
  const found = batch.columns.get(source);
  if (found === undefined) throw new Error(`WrittenLines: there is no source ${source}`);
  return denseOf(found, `WrittenLines: the source ${source}`);
}

function linesOf({ shape, data }: NdArray): string[] {
  const [rows = 0, width = 0] = shape;
  return Array.from({ length: rows }, (_, row) =>
    decoded(Array.from<number | bigint, number>(data.slice(row * width, (row + 1) * width), Number)),
  );
}
