import { ndarray, StateKind, type NdArray } from '@longrun/serialization';
import type { DataStream } from '../../streams/data-stream.js';
import type { TransformerOptions } from '../transformer.js';
import { type ImagePlace, type ImageRandomOptions, RandomImageTransformer } from './image-transformer.js';

/** How much colours change: by a factor from `1 - x` to `1 + x`, all equally likely. */
export interface RandomColorOptions extends ImageRandomOptions {
  /** Of all values. Default 0. */
  readonly brightness?: number;
  /** Of the distance of all values from the mean luma. Default 0. */
  readonly contrast?: number;
  /** Of the distance of colours from their luma. Default 0. */
  readonly saturation?: number;
  /** Sources with images, `(3, height, width)`, of uint8, or of floats from 0 to 1. Default all. */
  readonly whichSources?: readonly string[];
}

/** Changes brightness, contrast and saturation of each image at random, in this order. Values stay from 0 to 255, those of floats from 0 to 1. */
export class RandomColor extends RandomImageTransformer {
  readonly #amounts: Readonly<Record<Change, number>>;

  constructor(
    stream: DataStream,
    { brightness = 0, contrast = 0, saturation = 0, whichSources, ...random }: RandomColorOptions,
  ) {
    super(stream, whichSources, RANDOM_COLOR, random);
    this.#amounts = { brightness, contrast, saturation };
    for (const [name, amount] of Object.entries(this.#amounts))
      if (!(amount >= 0 && amount <= 1))
        throw new RangeError(`RandomColor: ${name} is ${amount}; give a number from 0, which changes nothing, to 1`);
  }

  protected override options(): TransformerOptions {
    return { ...this.#amounts, ...super.options() };
  }

  protected transformImage(image: NdArray, source: string, place: ImagePlace): NdArray {
    const { dtype, shape } = image;
    const [channels = 0, rows = 0, columns = 0] = shape;
    if (channels !== 3 || (dtype !== 'uint8' && dtype !== 'float32' && dtype !== 'float64'))
      throw new TypeError(
        `RandomColor: ${source} has images of ${dtype} (${shape.join(', ')}); colours are uint8 or floats (3, height, width)`,
      );
    const random = this.randomOf(source, place);
    const factorOf = (change: Change): number => 1 + (2 * random.uniform() - 1) * this.#amounts[change];
    const most = dtype === 'uint8' ? 255 : 1;
    const size = rows * columns;
    const values = Float64Array.from({ length: image.data.length }, (_, at) => Number(image.data[at]));
    const within = (value: number): number => Math.max(0, Math.min(most, value));

    const brightness = factorOf('brightness');
    for (const [at, value] of values.entries()) values[at] = within(value * brightness);

    const luma = (pixel: number): number =>
      LUMA.reduce((sum, weight, channel) => sum + weight * (values[channel * size + pixel] ?? 0), 0);
    const contrast = factorOf('contrast');
    let total = 0;
    for (let pixel = 0; pixel < size; pixel += 1) total += luma(pixel);
    const mean = size === 0 ? 0 : total / size;
    for (const [at, value] of values.entries()) values[at] = within(mean + (value - mean) * contrast);

    const saturation = factorOf('saturation');
    for (let pixel = 0; pixel < size; pixel += 1) {
      const grey = luma(pixel);
      for (let at = pixel; at < values.length; at += size)
        values[at] = within(grey + ((values[at] ?? 0) - grey) * saturation);
    }
    return ndarray(
      dtype,
      shape,
      dtype === 'uint8'
        ? Uint8Array.from(values, Math.round)
        : dtype === 'float32'
          ? Float32Array.from(values)
          : values,
    );
  }
}

type Change = 'brightness' | 'contrast' | 'saturation';

/** ITU-R 601-2, of red, green and blue. */
const LUMA = [0.299, 0.587, 0.114] as const;

const RANDOM_COLOR = new StateKind('RandomColor');
