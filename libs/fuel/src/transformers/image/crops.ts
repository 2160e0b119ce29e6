import { StateKind, type NdArray } from '@longrun/serialization';
import type { Memory } from '../../arrays/memory.js';
import type { DataStream } from '../../streams/data-stream.js';
import type { TransformerOptions } from '../transformer.js';
import {
  type ImagePlace,
  type ImageRandomOptions,
  ImageTransformer,
  RandomImageTransformer,
} from './image-transformer.js';
import { checkHolds, checkSize, type ImageSize, windowOf } from './windows.js';

/** What is cut out of images. */
export interface FixedSizeCropOptions {
  /** Height and width of what is cut out, in pixels. */
  readonly windowShape: ImageSize;
  /** Sources with images, `(channel, height, width)`. Default all. */
  readonly whichSources?: readonly string[];
}

/** Cuts a window of one size out of each image, at a random place (Fuel: `RandomFixedSizeCrop`). Images that are smaller are refused. */
export class RandomFixedSizeCrop extends RandomImageTransformer {
  readonly windowShape: ImageSize;

  constructor(stream: DataStream, { windowShape, whichSources, ...random }: FixedSizeCropOptions & ImageRandomOptions) {
    super(stream, whichSources, RANDOM_FIXED_SIZE_CROP, random);
    checkSize('RandomFixedSizeCrop: windowShape', windowShape);
    this.windowShape = windowShape;
  }

  protected override options(): TransformerOptions {
    return { windowShape: [...this.windowShape], ...super.options() };
  }

  protected transformImage(image: NdArray, source: string, place: ImagePlace, into: Memory): NdArray {
    const [, rows = 0, columns = 0] = image.shape;
    const [height, width] = this.windowShape;
    checkHolds(`RandomFixedSizeCrop: ${source}`, image.shape, this.windowShape);
    const random = this.randomOf(source, place);
    const top = random.integer(rows - height + 1);
    return windowOf(image, this.windowShape, [top, random.integer(columns - width + 1)], into);
  }
}

/** Cuts a window of one size out of the middle of each image; where it cannot be the middle, a pixel nearer to the upper left. Images that are smaller are refused. */
export class CenterCrop extends ImageTransformer {
  readonly windowShape: ImageSize;

  constructor(stream: DataStream, { windowShape, whichSources }: FixedSizeCropOptions) {
    super(stream, whichSources, CENTER_CROP);
    checkSize('CenterCrop: windowShape', windowShape);
    this.windowShape = windowShape;
  }

  protected override options(): TransformerOptions {
    return { windowShape: [...this.windowShape], ...super.options() };
  }

  protected transformImage(image: NdArray, source: string, _place: ImagePlace, into: Memory): NdArray {
    const [, rows = 0, columns = 0] = image.shape;
    const [height, width] = this.windowShape;
    checkHolds(`CenterCrop: ${source}`, image.shape, this.windowShape);
    const [top, left] = [Math.floor((rows - height) / 2), Math.floor((columns - width) / 2)];
    return windowOf(image, this.windowShape, [top, left], into);
  }
}

const RANDOM_FIXED_SIZE_CROP = new StateKind('RandomFixedSizeCrop');
const CENTER_CROP = new StateKind('CenterCrop');
