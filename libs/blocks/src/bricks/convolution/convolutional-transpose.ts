import { conv2dTranspose, flip, type Pair, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { Convolutional, type ConvolutionalOptions } from './convolutional.js';
import { pairOf, type ImageSize } from './image-shape.js';

/** Options of {@link ConvolutionalTranspose}. */
export interface ConvolutionalTransposeOptions extends ConvolutionalOptions {
  /** Rows and columns of the output. Default: `step * (rows - 1) + filter rows - 2 * border + unused`. */
  readonly originalImageSize?: readonly [rows: number, columns: number] | undefined;
  /** Rows and columns more at the end, fewer than the step: those that a convolution would not have reached. Default 0. */
  readonly unusedEdge?: Pair | undefined;
}

/**
 * What a {@link Convolutional} does backwards: it makes images of `originalImageSize` of what a convolution of such images would give (Blocks:
 * `ConvolutionalTranspose`).
 *
 * Parameters: `W` (numChannels, numFilters / numGroups, filter rows, filter columns) FILTER; `b` as of `Convolutional`.
 */
export class ConvolutionalTranspose extends Convolutional {
  originalImageSize: readonly [rows: number, columns: number] | undefined;
  unusedEdge: Pair;

  constructor(options: ConvolutionalTransposeOptions = {}) {
    super(options);
    this.originalImageSize = options.originalImageSize;
    this.unusedEdge = options.unusedEdge ?? 0;
  }

  override get outputSize(): ImageSize {
    if (this.originalImageSize !== undefined) return this.originalImageSize;
    const [rows, columns] = this.imageSize;
    return [this.#sizeAfter(rows, 0), this.#sizeAfter(columns, 1)];
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    const output = conv2dTranspose(input, flip(this.W, { axis: [2, 3] }), {
      padding: this.#border,
      strides: this.step,
      dilation: this.dilation,
      outputPadding: this.#edge(input),
      groups: this.numGroups,
    });
    return this.biased(output);
  }

  protected override filterShape(): readonly [number, number, number, number] {
    const { channels, filters } = this.divisibleCounts();
    return [channels, filters / this.numGroups, ...pairOf(this.filterSize.value)];
  }

  /** The rows and columns that are cut off on each side of the output: as many as a convolution of that border would have put there. */
  get #border(): readonly [number, number] {
    const mode = this.borderMode;
    if (typeof mode !== 'string') return pairOf(mode);
    const cutOff = (axis: 0 | 1): number => {
      if (mode === 'valid') return 0;
      return mode === 'full' ? this.#taps(axis) - 1 : Math.floor(this.#taps(axis) / 2);
    };
    return [cutOff(0), cutOff(1)];
  }

  /** Rows and columns more at the end. */
  #edge(input: Variable): readonly [number, number] {
    if (this.originalImageSize === undefined) return pairOf(this.unusedEdge);
    const { originalImageSize } = this;
    const edge = ([0, 1] as const).map((axis) => {
      const known = input.shape[axis + 2];
      const size = typeof known === 'number' ? known : this.imageSize[axis];
      const least = this.#sizeAfter(size, axis, 0);
      const wanted = originalImageSize[axis];
      if (least === null) {
        throw new Error(
          `${this.uniquePath}: with originalImageSize the size of the input has to be known; give imageSize`,
        );
      }
      if (wanted >= least && wanted < least + pairOf(this.step)[axis]) return wanted - least;
      throw new Error(
        `${this.uniquePath}: originalImageSize is (${originalImageSize.join(', ')}), but from ${String(size)} come ${least} to ${least + pairOf(this.step)[axis] - 1}; ` +
          'give one of those, or another step, border or filter size',
      );
    });
    return [edge[0] ?? 0, edge[1] ?? 0];
  }

  #sizeAfter(size: number | null | undefined, axis: 0 | 1, unused = pairOf(this.unusedEdge)[axis]): number | null {
    if (size === null || size === undefined) return null;
    return pairOf(this.step)[axis] * (size - 1) + this.#taps(axis) - 2 * this.#border[axis] + unused;
  }

  /** Rows or columns over which a filter reaches. */
  #taps(axis: 0 | 1): number {
    return (pairOf(this.filterSize.value)[axis] - 1) * pairOf(this.dilation)[axis] + 1;
  }
}
