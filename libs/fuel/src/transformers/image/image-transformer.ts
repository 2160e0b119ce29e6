import { RandomAt, RandomKey, type NdArray, type StateKind } from '@longrun/serialization';
import { isRagged, type Column } from '../../arrays/column.js';
import type { Memory } from '../../arrays/memory.js';
import { rowsOf, viewOfRow } from '../../arrays/rows.js';
import { RowsInPlace } from '../../arrays/rows-in-place.js';
import type { DataStream } from '../../streams/data-stream.js';
import type { Place } from '../../streams/delivery.js';
import { SourcewiseTransformer, type TransformerOptions } from '../transformer.js';

/** What an image is drawn by. */
export interface ImageRandomOptions {
  /** An integer in 0..2^53-1, such as the experiment's. */
  readonly seed: number;
  /** Tells two of a pipeline apart that would draw the same. Default: the name of the class. */
  readonly stage?: string;
}

/**
 * A transformer that changes each image by itself: an example, or each row of a batch, of shape `(channel, height, width)`. Images of several shapes are a ragged column;
 * what comes out of them is one array where all have one shape.
 */
export abstract class ImageTransformer extends SourcewiseTransformer {
  /**
   * The image in the place of one. What is given is neither written to nor kept.
   *
   * @param into where the new image may lie: it alone
   */
  protected abstract transformImage(image: NdArray, source: string, place: ImagePlace, into: Memory): NdArray;

  protected override transformSource(column: Column, source: string, { epoch, index }: Place, into: Memory): Column {
    const transform = (image: NdArray, at: number, memory: Memory): NdArray => {
      checkImage(`${this.constructor.name}: ${source}`, image);
      return this.transformImage(image, source, { epoch, index: at }, memory);
    };
    if (this.producesExamples) return transform(viewOfRow(asBatch(column), 0), index * MOST_ROWS, into);
    const rows = rowsOf(column, source);
    if (rows === 0) return column;
    const inPlace = new RowsInPlace(rows, into);
    const images = Array.from({ length: rows }, (_, row) =>
      transform(viewOfRow(column, row), index * MOST_ROWS + row, inPlace.memoryOf(row)),
    );
    return inPlace.column(images, source);
  }
}

/** Where in a stream an image is. */
export interface ImagePlace {
  readonly epoch: number;
  /** Other images of the epoch have others. */
  readonly index: number;
}

/** One that draws for each image, by nothing but the seed, the stage, the source and the place of the image: whoever draws, and in whatever order. */
export abstract class RandomImageTransformer extends ImageTransformer {
  readonly #keys: ReadonlyMap<string, RandomKey>;
  readonly #random: Required<ImageRandomOptions>;

  protected constructor(
    stream: DataStream,
    whichSources: readonly string[] | undefined,
    kind: StateKind,
    { seed, stage }: ImageRandomOptions,
  ) {
    super(stream, whichSources, kind);
    this.#random = { seed, stage: stage ?? this.constructor.name };
    this.#keys = new Map(
      [...this.whichSources].map((source) => [
        source,
        new RandomKey(seed, JSON.stringify([this.#random.stage, source])),
      ]),
    );
  }

  protected override options(): TransformerOptions {
    return { ...this.#random, ...super.options() };
  }

  /** What is drawn for an image. */
  protected randomOf(source: string, { epoch, index }: ImagePlace): RandomAt {
    const key = this.#keys.get(source);
    if (key === undefined) throw new Error(`${this.constructor.name}: ${source} is none of its sources`);
    return new RandomAt(key, epoch, index);
  }
}

/** More rows than a batch has. */
const MOST_ROWS = 2 ** 20;

/** @throws TypeError for what is no image */
function checkImage(what: string, { shape }: NdArray): void {
  if (shape.length === 3) return;
  throw new TypeError(`${what} has examples of shape (${shape.join(', ')}); images are (channel, height, width)`);
}

function asBatch(column: Column): Column {
  return isRagged(column) ? column : { ...column, shape: [1, ...column.shape] };
}
