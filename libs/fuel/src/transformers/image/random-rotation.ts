import { StateKind, type NdArray } from '@longrun/serialization';
import type { DataStream } from '../../streams/data-stream.js';
import type { TransformerOptions } from '../transformer.js';
import { type ImagePlace, type ImageRandomOptions, RandomImageTransformer } from './image-transformer.js';
import { checkResampling } from './resample.js';
import { rotated } from './rotated.js';

/** How far images are turned, and how. */
export interface Random2DRotationOptions extends ImageRandomOptions {
  /** At most so far either way, in radians. Default pi. */
  readonly maximumRotation?: number;
  /** Default `nearest`. */
  readonly resample?: 'nearest' | 'bilinear';
  /** Sources with images, `(channel, height, width)`. Default all. */
  readonly whichSources?: readonly string[];
}

/** Turns each image around its middle by a random angle, all equally likely; what was outside of it is zero (Fuel: `Random2DRotation`). */
export class Random2DRotation extends RandomImageTransformer {
  readonly maximumRotation: number;
  readonly resample: 'nearest' | 'bilinear';

  constructor(
    stream: DataStream,
    { maximumRotation = Math.PI, resample = 'nearest', whichSources, ...random }: Random2DRotationOptions,
  ) {
    super(stream, whichSources, RANDOM_2D_ROTATION, random);
    checkResampling('Random2DRotation', resample, ['nearest', 'bilinear']);
    if (!Number.isFinite(maximumRotation) || maximumRotation < 0)
      throw new RangeError(`Random2DRotation: maximumRotation is ${maximumRotation}; give an angle in radians, from 0`);
    this.maximumRotation = maximumRotation;
    this.resample = resample;
  }

  protected override options(): TransformerOptions {
    return { maximumRotation: this.maximumRotation, resample: this.resample, ...super.options() };
  }

  protected transformImage(image: NdArray, source: string, place: ImagePlace): NdArray {
    const share = 2 * this.randomOf(source, place).uniform() - 1;
    return rotated(image, share * this.maximumRotation, this.resample);
  }
}

const RANDOM_2D_ROTATION = new StateKind('Random2DRotation');
