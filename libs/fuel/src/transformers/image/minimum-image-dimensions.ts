import { StateKind, type NdArray } from '@longrun/serialization';
import type { DataStream } from '../../streams/data-stream.js';
import type { TransformerOptions } from '../transformer.js';
import { ImageTransformer } from './image-transformer.js';
import { checkResampling, type Resampling, RESAMPLINGS, resized } from './resample.js';
import { checkSize, type ImageSize } from './windows.js';

/** How large images are to be, and how they become so. */
export interface MinimumImageDimensionsOptions {
  /** Least height and width, in pixels. */
  readonly minimumShape: ImageSize;
  /** Default `nearest`. */
  readonly resample?: Resampling;
  /** Sources with images, `(channel, height, width)`. Default all. */
  readonly whichSources?: readonly string[];
}

/** Enlarges images that are lower or narrower, as far as is needed, keeping their aspect (Fuel: `MinimumImageDimensions`, where `resample` had no effect). */
export class MinimumImageDimensions extends ImageTransformer {
  readonly minimumShape: ImageSize;
  readonly resample: Resampling;

  constructor(stream: DataStream, { minimumShape, resample = 'nearest', whichSources }: MinimumImageDimensionsOptions) {
    super(stream, whichSources, MINIMUM_IMAGE_DIMENSIONS);
    checkSize('MinimumImageDimensions: minimumShape', minimumShape);
    checkResampling('MinimumImageDimensions', resample, RESAMPLINGS);
    this.minimumShape = minimumShape;
    this.resample = resample;
  }

  protected override options(): TransformerOptions {
    return { minimumShape: [...this.minimumShape], resample: this.resample, ...super.options() };
  }

  protected transformImage(image: NdArray): NdArray {
    const [, rows = 0, columns = 0] = image.shape;
    const [height, width] = this.minimumShape;
    if (rows >= height && columns >= width) return image;
    const factor = Math.max(height / rows, width / columns);
    return resized(image, [Math.ceil(rows * factor), Math.ceil(columns * factor)], this.resample);
  }
}

const MINIMUM_IMAGE_DIMENSIONS = new StateKind('MinimumImageDimensions');
