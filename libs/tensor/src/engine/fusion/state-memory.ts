import { copyOf, ndarray, sizeOf, type NdArray } from '@longrun/serialization';

import { StoredValue } from '../stored-value.js';
import { reserveMemory, type LinearMemory } from './web-assembly.js';

/** Regions begin where ONNX Runtime has its own memory begin. */
const ALIGNMENT_BYTES = 64;

/** What an array of float32 takes: whole vectors, so that a kernel computes elements behind its last one too, which nobody reads. */
export function regionBytes(shape: readonly number[]): number {
  return Math.ceil((sizeOf(shape) * Float32Array.BYTES_PER_ELEMENT) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/**
 * Memory that kernels compute in: a part of it for themselves, and the other for values. Its buffer can be read and written as any other, by
 * engines too, but never be transferred.
 */
export class StateMemory {
  readonly linear: LinearMemory;
  readonly #bytes: number;
  /** Where nothing has been yet. */
  #next: number;
  /** Addresses of regions that were given back, by their size. */
  readonly #free = new Map<number, number[]>();

  /**
   * @param reservedBytes from address 0 on, for whoever makes it
   * @throws RangeError where so much address space cannot be had
   */
  constructor(reservedBytes: number, valueBytes: number) {
    this.#next = reservedBytes;
    this.#bytes = reservedBytes + valueBytes;
    this.linear = reserveMemory(this.#bytes);
  }

  /** The memory of an array. */
  view(address: number, elements: number): Float32Array {
    return new Float32Array(this.linear.buffer, address, elements);
  }

  /** A value to be written to by whoever asked for it, before anybody else sees it; undefined where there is no room. */
  place(shape: readonly number[]): RegionValue | undefined {
    const bytes = regionBytes(shape);
    const address = this.#free.get(bytes)?.pop() ?? this.#fresh(bytes);
    return address === undefined ? undefined : new RegionValue(this, address, shape);
  }

  /** For values that are let go of. */
  giveBack(address: number, bytes: number): void {
    const free = this.#free.get(bytes);
    if (free === undefined) this.#free.set(bytes, [address]);
    else free.push(address);
  }

  #fresh(bytes: number): number | undefined {
    const address = this.#next;
    if (address + bytes > this.#bytes) return undefined;
    this.#next += bytes;
    return address;
  }
}

/** A value of float32 in the memory of kernels. That memory goes on to another value with the last handle: who looks at it later sees that one. */
export class RegionValue extends StoredValue {
  readonly memory: StateMemory;
  readonly address: number;
  readonly #array: NdArray<'float32'>;

  constructor(memory: StateMemory, address: number, shape: readonly number[]) {
    super({ dtype: 'float32', shape });
    this.memory = memory;
    this.address = address;
    this.#array = ndarray('float32', shape, memory.view(address, sizeOf(shape)));
  }

  override get onHost(): NdArray<'float32'> {
    return this.#array;
  }

  /** A copy: the memory cannot be given away. */
  override async take(): Promise<NdArray> {
    const array = copyOf(this.#array);
    this.release();
    return array;
  }

  protected override async toHost(): Promise<NdArray> {
    return this.#array;
  }

  protected override free(): void {
    this.memory.giveBack(this.address, regionBytes(this.shape));
  }
}
