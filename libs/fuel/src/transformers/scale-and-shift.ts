import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import type { DataStream } from '../streams/data-stream.js';
import { SourcewiseTransformer } from './transformer.js';

/** What is done to each element, and where. */
export interface ScaleAndShiftOptions {
  /** Factor. */
  readonly scale: number;
  /** Added after the factor. */
  readonly shift: number;
  /** Sources that are changed. Default all. */
  readonly whichSources?: readonly string[];
  /** Element type of the result. Default: that of a floating-point source, float64 for whole numbers, as NumPy has it. */
  readonly dtype?: 'float32' | 'float64';
}

/** `x · scale + shift`, computed in float64 and rounded once (Fuel: `ScaleAndShift`, with `Cast` in the same pass). */
export class ScaleAndShift extends SourcewiseTransformer {
  readonly #scale: number;
  readonly #shift: number;
  readonly #dtype: 'float32' | 'float64' | undefined;
  // A byte has 256 values: looking the result up is the fastest there is, and the same numbers.
  readonly #table: Float64Array;

  constructor(stream: DataStream, options: ScaleAndShiftOptions) {
    super(stream, options.whichSources);
    this.#scale = options.scale;
    this.#shift = options.shift;
    this.#dtype = options.dtype;
    this.#table = Float64Array.from({ length: 256 }, (_, x) => x * options.scale + options.shift);
  }

  protected transformSource(array: NdArray, source: string): NdArray {
    const result = ndarray(this.#dtype ?? floatOf(array.dtype), array.shape);
    const { data: target } = result;
    const { data } = array;
    const scale = this.#scale;
    const shift = this.#shift;
    if (array.dtype === 'int64' || data instanceof BigInt64Array) {
      throw new TypeError(`ScaleAndShift: ${source} is int64; cast it to float64 first`);
    }
    if (data instanceof Uint8Array) {
      const table = this.#table;
      for (let i = 0; i < data.length; i++) target[i] = table[data[i] as number] as number;
    } else {
      for (let i = 0; i < data.length; i++) target[i] = (data[i] as number) * scale + shift;
    }
    return result;
  }
}

function floatOf(dtype: DType): 'float32' | 'float64' {
  return dtype === 'float32' ? 'float32' : 'float64';
}
