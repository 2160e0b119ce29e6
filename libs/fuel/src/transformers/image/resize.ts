import { StateKind, type NdArray } from '@longrun/serialization';
import type { DataStream } from '../../streams/data-stream.js';
import type { TransformerOptions } from '../transformer.js';
import { ImageTransformer } from './image-transformer.js';
import { checkResampling, type Resampling, RESAMPLINGS, resized } from './resample.js';
import { checkSize, type ImageSize } from './windows.js';

/** What size images are to have, and how they come to it. */
export interface ResizeOptions {
  /** Height and width, in pixels. */
  readonly shape: ImageSize;
  /** Default `bilinear`. */
  readonly resample?: Resampling;
  /** Sources with images, `(channel, height, width)`. Default all. */
  readonly whichSources?: readonly string[];
}

/** Gives all images one size, whatever becomes of their aspect. */
export class Resize extends ImageTransformer {
  readonly shape: ImageSize;
  readonly resample: Resampling;

  constructor(stream: DataStream, { shape, resample = 'bilinear', whichSources }: ResizeOptions) {
    super(stream, whichSources, RESIZE);
    checkSize('Resize: shape', shape);
    checkResampling('Resize', resample, RESAMPLINGS);
    this.shape = shape;
    this.resample = resample;
  }

  protected override options(): TransformerOptions {
    return { shape: [...this.shape], resample: this.resample, ...super.options() };
  }

  protected transformImage(image: NdArray): NdArray {
    return resized(image, this.shape, this.resample);
  }
}

const RESIZE = new StateKind('Resize');
