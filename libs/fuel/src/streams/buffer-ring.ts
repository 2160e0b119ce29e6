import { dtypeBytes, type DType, type NdArray, sizeOf, typedArrayConstructor } from '@longrun/serialization';
import type { Memory } from '../arrays/memory.js';
import type { Releasable } from './delivery.js';

/**
 * Buffers that are used again: a batch is written to memory of the one before, once that was released, as memory that is had anew costs more than most
 * that is written to it. What is not given back is left to the garbage collector.
 */
export class BufferRing {
  // The one that was given back last is at the end, and taken first: it may be in the cache of the processor still.
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;

  /** The memory of a batch that is to be made. */
  lend(): Loan {
    return new Loan(this);
  }

  /** An array of elements of any value. */
  readonly take: Memory = <D extends DType>(dtype: D, shape: readonly number[]): NdArray<D> => {
    const size = sizeOf(shape);
    const buffer = this.#buffer(roundedUp(size * dtypeBytes(dtype)));
    return { dtype, shape: [...shape], data: new (typedArrayConstructor(dtype))(buffer, 0, size) };
  };

  /** Takes back a buffer of an array that it made, or of another ring's. Nobody may look at it any more. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === 0) return;
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
    while (this.#free.length > MOST_FREE || (this.#freeBytes > MOST_FREE_BYTES && this.#free.length > 1)) {
      this.#freeBytes -= this.#free.shift()?.byteLength ?? 0;
    }
  }

  #buffer(bytes: number): ArrayBuffer {
    const at = this.#free.findLastIndex(({ byteLength }) => byteLength === bytes);
    const [buffer] = at === -1 ? [] : this.#free.splice(at, 1);
    if (buffer === undefined) return Buffer.allocUnsafeSlow(bytes).buffer;
    this.#freeBytes -= bytes;
    return buffer;
  }
}

/** The memory of one batch: the arrays that it made, until it is released. */
export class Loan implements Releasable {
  readonly #ring: BufferRing;
  #buffers: ArrayBuffer[] = [];

  constructor(ring: BufferRing) {
    this.#ring = ring;
  }

  /** An array of the batch, of elements of any value. */
  readonly memory: Memory = (dtype, shape) => {
    const array = this.#ring.take(dtype, shape);
    if (array.data.buffer instanceof ArrayBuffer) this.#buffers.push(array.data.buffer);
    return array;
  };

  release(): void {
    for (const buffer of this.#buffers) this.#ring.give(buffer);
    this.#buffers = [];
  }
}

/** Sizes of which there are eight between one power of two and the next: batches of about one size have buffers in common. */
function roundedUp(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bytes))) - 3);
  return Math.max(1, Math.ceil(bytes / step) * step);
}

/** How much a ring keeps that nobody uses: enough for a stream that is read some batches ahead. The last one is kept whatever its size. */
const MOST_FREE = 256;
const MOST_FREE_BYTES = 2 ** 26;
