import { copyOf, type DType, type NdArray } from '@longrun/serialization';

import { formatType } from '../graph/tensor-type.js';
import { freeBuffer } from './host-memory.js';

/**
 * A value that never changes, on the host or on a device. Whoever holds it has a handle on it: who makes it has the first one, and
 * {@link retain} makes another. With the last one its memory is given back at once, and not by the garbage collector.
 *
 * What is written again and again, such as the parameters of a model, is a new value each time: whoever holds the one before, as a
 * snapshot does, has it unchanged and at no cost.
 */
export abstract class StoredValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  #handles = 1;

  constructor({ dtype, shape }: Pick<NdArray, 'dtype' | 'shape'>) {
    this.dtype = dtype;
    this.shape = shape;
  }

  /**
   * The elements, which are not to be written to. Of a value on the host it is a reference, which is empty, or has the elements of another
   * value, once the caller's handle and all others are released; of one on a device it is a copy.
   */
  async read(): Promise<NdArray> {
    return await this.elements();
  }

  /** As {@link read}, at once where they are in the memory of this process: a step reads dozens of values, and each promise takes its time. */
  elements(): NdArray | Promise<NdArray> {
    this.#assertHeld('read');
    return this.toHost();
  }

  /** The elements where they are in the memory of this process, not to be written to and not to be kept; undefined of those on a device. */
  get onHost(): NdArray | undefined {
    return undefined;
  }

  /** Makes one more handle, to be released by whoever it is for. Returns this. */
  retain(): this {
    this.#assertHeld('retained');
    this.#handles += 1;
    return this;
  }

  /** Ends one handle. @throws Error when there is none left: somebody has released what was not theirs, or twice */
  release(): void {
    this.#assertHeld('released');
    this.#handles -= 1;
    if (this.#handles === 0) this.free();
  }

  /** Ends one handle, for an array of the elements that belongs to the caller. */
  async take(): Promise<NdArray> {
    try {
      return await this.read();
    } finally {
      this.release();
    }
  }

  /** Whether there is more than one handle. */
  protected get isShared(): boolean {
    return this.#handles > 1;
  }

  protected abstract toHost(): NdArray | Promise<NdArray>;

  /** Gives back the memory. Called once. */
  protected abstract free(): void;

  #assertHeld(what: string): void {
    if (this.#handles > 0) return;
    throw new Error(
      `A value of ${formatType(this)} is ${what} after its last handle was released; ` +
        'retain it for as long as it is needed, and release each handle once',
    );
  }
}

/** A value in the memory of this process. */
export class HostValue extends StoredValue {
  readonly #array: NdArray;
  #isGivenAway = false;

  /** @param array Becomes the value's, memory and all: nothing else may look at its buffer. */
  constructor(array: NdArray) {
    super(array);
    this.#array = array;
  }

  /** A value of its own. */
  static copyOf(array: NdArray): HostValue {
    return new HostValue(copyOf(array));
  }

  override get onHost(): NdArray {
    return this.#array;
  }

  override async take(): Promise<NdArray> {
    const array = this.isShared ? copyOf(this.#array) : this.#array;
    this.#isGivenAway = !this.isShared;
    this.release();
    return array;
  }

  protected override toHost(): NdArray {
    return this.#array;
  }

  protected override free(): void {
    if (!this.#isGivenAway) freeBuffer(this.#array.data.buffer);
  }
}

/** The elements of what an engine is fed, which are not to be written to: see {@link StoredValue.elements}. */
export function elementsOf(value: NdArray | StoredValue): NdArray | Promise<NdArray> {
  return value instanceof StoredValue ? value.elements() : value;
}
