import { StateKind, type NdArray } from '@longrun/serialization';
import type { Memory } from '../../arrays/memory.js';
import { bytesOf } from '../../arrays/rows.js';
import type { DataStream } from '../../streams/data-stream.js';
import type { TransformerOptions } from '../transformer.js';
import { type ImagePlace, type ImageRandomOptions, RandomImageTransformer } from './image-transformer.js';

/** How often images are flipped. */
export interface RandomHorizontalFlipOptions extends ImageRandomOptions {
  /** Share of the images that are. Default 0.5. */
  readonly probability?: number;
  /** Sources with images, `(channel, height, width)`. Default all. */
  readonly whichSources?: readonly string[];
}

/** Flips some of the images, left to right. */
export class RandomHorizontalFlip extends RandomImageTransformer {
  readonly probability: number;

  constructor(stream: DataStream, { probability = 0.5, whichSources, ...random }: RandomHorizontalFlipOptions) {
    super(stream, whichSources, RANDOM_HORIZONTAL_FLIP, random);
    if (!(probability >= 0 && probability <= 1))
      throw new RangeError(`RandomHorizontalFlip: probability is ${probability}; give a number from 0 to 1`);
    this.probability = probability;
  }

  protected override options(): TransformerOptions {
    return { probability: this.probability, ...super.options() };
  }

  protected transformImage(image: NdArray, source: string, place: ImagePlace, into: Memory): NdArray {
    const flipped = into(image.dtype, image.shape);
    bytesOf(flipped).set(bytesOf(image));
    if (this.randomOf(source, place).uniform() >= this.probability) return flipped;
    const [, , columns = 0] = image.shape;
    for (let start = 0; start < flipped.data.length; start += columns)
      flipped.data.subarray(start, start + columns).reverse();
    return flipped;
  }
}

const RANDOM_HORIZONTAL_FLIP = new StateKind('RandomHorizontalFlip');
