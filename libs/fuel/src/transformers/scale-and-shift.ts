import { StateKind, type DType, type NdArray } from '@longrun/serialization';
import { withElements, type Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import type { DataStream } from '../streams/data-stream.js';
import type { Place } from '../streams/delivery.js';
import { SourcewiseTransformer, type TransformerOptions } from './transformer.js';

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

/**
 * `x · scale + shift` (Fuel: `ScaleAndShift`, with `Cast` in the same pass): of float32 sources in float32, product and sum rounded each, as
 * NumPy does; of others in float64, rounded once.
 */
export class ScaleAndShift extends SourcewiseTransformer {
  readonly #scale: number;
  readonly #shift: number;
  readonly #dtype: 'float32' | 'float64' | undefined;
  // A byte has 256 values: looking the result up is the fastest there is, and gives the same numbers.
  readonly #table32: Float32Array;
  readonly #table64: Float64Array;

  constructor(stream: DataStream, options: ScaleAndShiftOptions) {
    super(stream, options.whichSources, SCALE_AND_SHIFT);
    this.#scale = options.scale;
    this.#shift = options.shift;
    this.#dtype = options.dtype;
    this.#table64 = Float64Array.from({ length: 256 }, (_, x) => x * options.scale + options.shift);
    this.#table32 = Float32Array.from(this.#table64);
  }

  protected override options(): TransformerOptions {
    return { scale: this.#scale, shift: this.#shift, dtype: this.#dtype ?? null, ...super.options() };
  }

  /** @throws TypeError for an int64 source, whose numbers float64 cannot all hold */
  protected transformSource(column: Column, source: string, _place: Place, into: Memory): Column {
    return withElements(column, (elements) => this.#scaled(elements, source, into));
  }

  #scaled({ dtype, shape, data }: NdArray, source: string, into: Memory): NdArray {
    if (data instanceof BigInt64Array) {
      throw new TypeError(`ScaleAndShift: ${source} is int64; cast it to int32 or float64 first`);
    }
    // One loop for each kind of array: a loop that meets several kinds runs at a third of the speed.
    if (data instanceof Float32Array) {
      const scaled = into(this.#dtype ?? 'float32', shape);
      scaleFloat32(data, Math.fround(this.#scale), Math.fround(this.#shift), scaled.data);
      return scaled;
    }
    if ((this.#dtype ?? floatOf(dtype)) === 'float32') {
      const scaled = into('float32', shape);
      if (data instanceof Uint8Array) lookUp32(data, this.#table32, scaled.data);
      else for (let i = 0; i < data.length; i += 1) scaled.data[i] = (data[i] ?? 0) * this.#scale + this.#shift;
      return scaled;
    }
    const scaled = into('float64', shape);
    if (data instanceof Uint8Array) lookUp64(data, this.#table64, scaled.data);
    else for (let i = 0; i < data.length; i += 1) scaled.data[i] = (data[i] ?? 0) * this.#scale + this.#shift;
    return scaled;
  }
}

const SCALE_AND_SHIFT = new StateKind('ScaleAndShift');

function scaleFloat32(data: Float32Array, scale: number, shift: number, target: Float32Array | Float64Array): void {
  for (let i = 0; i < data.length; i += 1) target[i] = Math.fround(Math.fround((data[i] ?? 0) * scale) + shift);
}

/** Four at a time, which takes half as long: this loop runs over every pixel of every epoch. */
function lookUp32(bytes: Uint8Array, table: Float32Array, target: Float32Array): void {
  const { length } = bytes;
  const odd = length % 4;
  for (let i = 0; i < odd; i += 1) target[i] = table[bytes[i] ?? 0] ?? 0;
  for (let i = odd; i < length; i += 4) {
    target[i] = table[bytes[i] ?? 0] ?? 0;
    target[i + 1] = table[bytes[i + 1] ?? 0] ?? 0;
    target[i + 2] = table[bytes[i + 2] ?? 0] ?? 0;
    target[i + 3] = table[bytes[i + 3] ?? 0] ?? 0;
  }
}

function lookUp64(bytes: Uint8Array, table: Float64Array, target: Float64Array): void {
  for (let i = 0; i < bytes.length; i += 1) target[i] = table[bytes[i] ?? 0] ?? 0;
}

function floatOf(dtype: DType): 'float32' | 'float64' {
  return dtype === 'float32' ? 'float32' : 'float64';
}
