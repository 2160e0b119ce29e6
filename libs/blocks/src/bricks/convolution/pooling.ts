import { averagePool2d, maxPool2d, poolOutputShape, type Pair, type PoolOptions, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { Brick, type BrickOptions, type Dimension } from '../brick.js';
import { lazy, type Lazy } from '../lazy.js';
import { imageDimension, type ImageLayer, type ImageSize } from './image-shape.js';

/** Options of {@link Pooling}. */
export interface PoolingOptions extends BrickOptions {
  /** Rows and columns of a window. May be set later. */
  readonly poolingSize?: Pair | undefined;
  /** Rows and columns from one window to the next. Default: those of a window. */
  readonly step?: Pair | undefined;
  /** Channels, rows and columns of the input. Default: only the data tell. */
  readonly inputDim?: readonly [channels: number, rows: number, columns: number] | undefined;
  /** Whether what does not fill a window at the end is left out. Default true. */
  readonly ignoreBorder?: boolean | undefined;
  /** Rows and columns around the image that count for no element. Default 0. */
  readonly padding?: Pair | undefined;
}

/** Makes one element of each window of images (Blocks: `Pooling`). `apply(input (batch, channels, rows, columns))` is `(batch, channels, ...outputSize)`. */
export abstract class Pooling extends Brick implements ImageLayer {
  readonly poolingSize: Lazy<Pair>;
  /** Channels of the input; undefined where only the data tell. */
  numChannels: number | undefined;
  imageSize: ImageSize;
  step: Pair | undefined;
  ignoreBorder: boolean;
  padding: Pair;

  constructor(options: PoolingOptions = {}) {
    super(options);
    const [channels, rows = null, columns = null] = options.inputDim ?? [];
    this.poolingSize = lazy(options.poolingSize, 'poolingSize');
    this.numChannels = channels;
    this.imageSize = [rows, columns];
    this.step = options.step;
    this.ignoreBorder = options.ignoreBorder ?? true;
    this.padding = options.padding ?? 0;
  }

  get numOutputChannels(): number {
    if (this.numChannels !== undefined) return this.numChannels;
    throw new Error(`${this.uniquePath}: how many channels there are is not known; give inputDim`);
  }

  get outputSize(): ImageSize {
    const [, , rows, columns] = poolOutputShape([null, null, ...this.imageSize], this.windows);
    return [typeof rows === 'number' ? rows : null, typeof columns === 'number' ? columns : null];
  }

  takeImages(numChannels: number, imageSize: ImageSize): void {
    this.numChannels = numChannels;
    this.imageSize = imageSize;
  }

  abstract apply(input: Variable): Variable;

  /** How the windows lie. */
  protected get windows(): PoolOptions {
    const { ignoreBorder, padding, step } = this;
    return { size: this.poolingSize.value, padding, ignoreBorder, ...(step === undefined ? {} : { strides: step }) };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'input') return imageDimension(this.numChannels, this.imageSize);
    if (name === 'output' && this.poolingSize.isSet) return imageDimension(this.numChannels, this.outputSize);
    return super.dimensionOf(name);
  }
}

/** The largest element of each window. */
export class MaxPooling extends Pooling {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return maxPool2d(input, this.windows);
  }
}

/** Options of {@link AveragePooling}. */
export interface AveragePoolingOptions extends PoolingOptions {
  /** Whether the padding counts as zeros. Default false. */
  readonly includePadding?: boolean | undefined;
}

/** The mean of each window. */
export class AveragePooling extends Pooling {
  includePadding: boolean;

  constructor(options: AveragePoolingOptions = {}) {
    super(options);
    this.includePadding = options.includePadding ?? false;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return averagePool2d(input, { ...this.windows, countPadding: this.includePadding });
  }
}
