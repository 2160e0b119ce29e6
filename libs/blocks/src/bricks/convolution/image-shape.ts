import type { Pair } from '@longrun/tensor';

import type { Brick, Dimension } from '../brick.js';

/** Rows and columns of an image; null where only the data tell. */
export type ImageSize = readonly [rows: number | null, columns: number | null];

/** A brick that a `ConvolutionalSequence` tells what images it gets. */
export interface ImageLayer {
  /** Channels of the images that it gives. Throws before they are known. */
  readonly numOutputChannels: number;
  /** Rows and columns of what it gives. */
  readonly outputSize: ImageSize;
  /** Sets channels, rows and columns of the images that it gets. */
  takeImages(numChannels: number, imageSize: ImageSize): void;
}

/** Whether a brick is an {@link ImageLayer}. */
export function isImageLayer(brick: Brick): brick is Brick & ImageLayer {
  return 'takeImages' in brick && 'numOutputChannels' in brick && 'outputSize' in brick;
}

/** Channels, rows and columns as the dimension of a brick; undefined where not all are known. */
export function imageDimension(channels: number | undefined, [rows, columns]: ImageSize): Dimension | undefined {
  return channels === undefined || rows === null || columns === null ? undefined : [channels, rows, columns];
}

/** Rows and columns. */
export function pairOf(size: Pair): readonly [rows: number, columns: number] {
  return typeof size === 'number' ? [size, size] : size;
}
