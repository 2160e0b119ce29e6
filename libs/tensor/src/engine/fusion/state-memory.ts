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
  /** Regions that were given back, by their size. */
  readonly #free = new Map<number, Region[]>();

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
    const region = this.#free.get(bytes)?.pop();
    if (region !== undefined)
      return new RegionValue(this, isOfShape(region, shape) ? region : this.#region(region.address, shape));
    const address = this.#next;
    if (address + bytes > this.#bytes) return undefined;
    this.#next += bytes;
    return new RegionValue(this, this.#region(address, shape));
  }

  /** For values that are let go of. */
  giveBack(region: Region): void {
    const bytes = regionBytes(region.array.shape);
    const free = this.#free.get(bytes);
    if (free === undefined) this.#free.set(bytes, [region]);
    else free.push(region);
  }

  #region(address: number, shape: readonly number[]): Region {
    return { address, array: ndarray('float32', shape, this.view(address, sizeOf(shape))) };
  }
}

/** A part of the memory, with an array of it that all values share which lie there one after the other: what is made of it can be kept. */
interface Region {
  readonly address: number;
  readonly array: NdArray<'float32'>;
}

function isOfShape({ array }: Region, shape: readonly number[]): boolean {
  return array.shape.length === shape.length && array.shape.every((size, axis) => size === shape[axis]);
}

/** A value of float32 in the memory of kernels. That memory goes on to another value with the last handle: who looks at it later sees that one. */
export class RegionValue extends StoredValue {
  readonly memory: StateMemory;
  readonly #region: Region;

  constructor(memory: StateMemory, region: Region) {
    super(region.array);
    this.memory = memory;
    this.#region = region;
  }

  get address(): number {
    return this.#region.address;
  }

  override get onHost(): NdArray<'float32'> {
    return this.#region.array;
  }

  /** A copy: the memory cannot be given away. */
  override async take(): Promise<NdArray> {
    const array = copyOf(this.#region.array);
    this.release();
    return array;
  }

  protected override toHost(): NdArray {
    return this.#region.array;
  }

  protected override free(): void {
    this.memory.giveBack(this.#region);
  }
}
