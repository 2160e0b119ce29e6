import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import type { DataStream } from '../streams/data-stream.js';
import { SourcewiseTransformer } from './transformer.js';

/** What is cast to what. */
export interface CastOptions {
  /** Element type of the result. */
  readonly dtype: DType;
  /** Sources that are cast. Default all. */
  readonly whichSources?: readonly string[];
}

/**
 * Changes the element type (Fuel: `Cast`), as C and NumPy do: fractions are cut off, whole numbers that do not fit wrap around,
 * and to `bool` everything but zero is true. A source of the right type goes through as it is.
 */
export class Cast extends SourcewiseTransformer {
  readonly #dtype: DType;

  constructor(stream: DataStream, options: CastOptions) {
    super(stream, options.whichSources);
    this.#dtype = options.dtype;
  }

  protected transformSource(array: NdArray, source: string): NdArray {
    if (array.dtype === this.#dtype) return array;
    const result = ndarray(this.#dtype, array.shape);
    const { data: from } = array;
    const { data: to } = result;
    if (to instanceof BigInt64Array) {
      for (let i = 0; i < to.length; i += 1) to[i] = wholeOf(from[i] ?? 0, source);
    } else if (this.#dtype === 'bool') {
      // oxlint-disable-next-line eqeqeq -- 0n and 0 are both false
      for (let i = 0; i < to.length; i += 1) to[i] = from[i] == 0 ? 0 : 1;
    } else if (from instanceof BigInt64Array) {
      const whole = this.#dtype !== 'float32' && this.#dtype !== 'float64';
      // Whole numbers are wrapped before they become a double, which holds 53 bits only.
      for (let i = 0; i < to.length; i += 1) to[i] = Number(whole ? BigInt.asIntN(32, from[i] ?? 0n) : from[i]);
    } else {
      for (let i = 0; i < to.length; i += 1) to[i] = from[i] ?? 0;
    }
    return result;
  }
}

function wholeOf(value: number | bigint, source: string): bigint {
  if (typeof value === 'bigint') return value;
  if (!Number.isFinite(value)) throw new RangeError(`Cast: ${source} has ${value}, which int64 cannot hold`);
  return BigInt(Math.trunc(value));
}
