import {
  add,
  conv2d,
  convOutputShape,
  dimshuffle,
  type BorderMode,
  type ConvolutionOptions,
  type Pair,
  type Variable,
} from '@longrun/tensor';

import { BIAS, FILTER } from '../../roles.js';
import { application } from '../application.js';
import { namingBrick } from '../bound-application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { LinearLike } from '../linear-like.js';
import { imageDimension, pairOf, type ImageLayer, type ImageSize } from './image-shape.js';

/** Options of {@link Convolutional}. */
export interface ConvolutionalOptions extends InitializableOptions {
  /** Rows and columns of a filter. May be set later. */
  readonly filterSize?: Pair | undefined;
  /** How many filters: the channels of the output. May be set later. */
  readonly numFilters?: number | undefined;
  /** Channels of the input. May be set later. */
  readonly numChannels?: number | undefined;
  /** Rows and columns of the input. Needed for biases that are not tied. Default: only the data tell. */
  readonly imageSize?: ImageSize | undefined;
  /** Rows and columns from one window to the next. Default 1. */
  readonly step?: Pair | undefined;
  /** The zeros around the image: 'valid' (none, the default), 'half', 'full', or so many rows and columns on each side. */
  readonly borderMode?: BorderMode | Pair | undefined;
  /** Whether each channel of the output has one bias; else each of its elements has. Default true. */
  readonly tiedBiases?: boolean | undefined;
  /** How far the elements of a filter lie apart. Default 1. */
  readonly dilation?: Pair | undefined;
  /** Into how many groups the channels are divided, each with filters of its own. Default 1. */
  readonly numGroups?: number | undefined;
}

/**
 * Convolution of images with filters, which are flipped as in mathematics (Blocks: `Convolutional`).
 *
 * `apply(input (batch, numChannels, rows, columns))` is `(batch, numFilters, rows, columns)`, of `outputSize`.
 *
 * Parameters: `W` (numFilters, numChannels / numGroups, filter rows, filter columns) FILTER; `b` BIAS, absent when `useBias` is false: (numFilters), or
 * (numFilters, rows, columns) where biases are not tied.
 */
export class Convolutional extends LinearLike implements ImageLayer {
  readonly filterSize: Lazy<Pair>;
  readonly numFilters: Lazy<number>;
  readonly numChannels: Lazy<number>;
  imageSize: ImageSize;
  step: Pair;
  borderMode: BorderMode | Pair;
  tiedBiases: boolean;
  dilation: Pair;
  numGroups: number;

  constructor(options: ConvolutionalOptions = {}) {
    super(options);
    this.filterSize = lazy(options.filterSize, 'filterSize');
    this.numFilters = lazy(options.numFilters, 'numFilters');
    this.numChannels = lazy(options.numChannels, 'numChannels');
    this.imageSize = options.imageSize ?? [null, null];
    this.step = options.step ?? 1;
    this.borderMode = options.borderMode ?? 'valid';
    this.tiedBiases = options.tiedBiases ?? true;
    this.dilation = options.dilation ?? 1;
    this.numGroups = options.numGroups ?? 1;
  }

  get numOutputChannels(): number {
    return this.numFilters.value;
  }

  get outputSize(): ImageSize {
    const [rows, columns] = this.imageSize;
    const [filters, channels, ...filter] = this.filterShape();
    const shape = namingBrick(this, () =>
      convOutputShape([null, channels, rows, columns], [filters, channels, ...filter], this.windows),
    );
    return [sizeOf(shape[2]), sizeOf(shape[3])];
  }

  takeImages(numChannels: number, imageSize: ImageSize): void {
    this.numChannels.value = numChannels;
    this.imageSize = imageSize;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return this.biased(conv2d(input, this.W, { ...this.windows, groups: this.numGroups }));
  }

  /** The shape of `W`. */
  protected filterShape(): readonly [number, number, number, number] {
    const { channels, filters } = this.divisibleCounts();
    return [filters, channels / this.numGroups, ...pairOf(this.filterSize.value)];
  }

  /** How many channels and filters there are. @throws Error where groups cannot share them */
  protected divisibleCounts(): { readonly channels: number; readonly filters: number } {
    const [channels, filters] = [this.numChannels.value, this.numFilters.value];
    if (channels % this.numGroups === 0 && filters % this.numGroups === 0) return { channels, filters };
    throw new Error(
      `${this.uniquePath}: ${channels} channels and ${filters} filters cannot be divided into ${this.numGroups} groups; give multiples of it`,
    );
  }

  /** How the windows lie. */
  protected get windows(): ConvolutionOptions {
    return { border: this.borderMode, strides: this.step, dilation: this.dilation };
  }

  /** With the bias, if there is one. */
  protected biased(output: Variable): Variable {
    if (!this.useBias) return output;
    return add(output, dimshuffle(this.b, this.tiedBiases ? ['x', 0, 'x', 'x'] : ['x', 0, 1, 2]));
  }

  protected override allocateParameters(): void {
    this.parameter('W', this.filterShape(), FILTER);
    if (!this.useBias) return;
    if (this.tiedBiases) {
      this.parameter('b', [this.numOutputChannels], BIAS);
      return;
    }
    const [rows, columns] = this.outputSize;
    if (rows === null || columns === null) {
      throw new Error(`${this.uniquePath}: biases that are not tied have the size of the output; give imageSize`);
    }
    this.parameter('b', [this.numOutputChannels, rows, columns], BIAS);
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'input' && this.numChannels.isSet) return imageDimension(this.numChannels.value, this.imageSize);
    const isKnown = this.numChannels.isSet && this.numFilters.isSet && this.filterSize.isSet;
    if (name === 'output' && isKnown) return imageDimension(this.numOutputChannels, this.outputSize);
    return super.dimensionOf(name);
  }
}

function sizeOf(size: number | string | null | undefined): number | null {
  return typeof size === 'number' ? size : null;
}
