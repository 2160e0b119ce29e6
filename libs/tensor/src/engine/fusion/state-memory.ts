import { copyOf, ndarray, sizeOf, type NdArray } from '@longrun/serialization';

import { StoredValue } from '../stored-value.js';
import { reserveMemory, type LinearMemory } from './web-assembly.js';

/** Regions begin where ONNX Runtime has its own memory begin. */
const ALIGNMENT_BYTES = 64;

/** What an array of float32 takes: whole vectors, so that a kernel computes elements behind its last one too, which nobody reads. */
export function regionBytes(shape: readonly number[]): number {
  return Math.ceil((sizeOf(shape) * Float32Array.BYTES_PER_ELEMENT) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/** How much memory kernels want. */
export interface MemoryNeeds {
  /** For themselves. */
  readonly ownBytes: number;
  /** For values: the first that there is address space enough for. */
  readonly valueBytes: readonly number[];
}

/** As much memory as can be had; undefined where there is not address space enough for any. */
export function memoryFor({ ownBytes, valueBytes }: MemoryNeeds): StateMemory | undefined {
  for (const bytes of valueBytes) {
    try {
      return new StateMemory(ownBytes, bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
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
    if (region !== undefined) return this.#valueIn(region, shape);
    const address = this.#next;
    if (address + bytes > this.#bytes) return undefined;
    this.#next += bytes;
    return new RegionValue(this, this.#region(address, shape));
  }

  /**
   * A place for what differs from a value in some rows. It is one where that value lay some steps before, if there is any: then these are the rows in
   * which that differs from it, by step; undefined where nothing is known of what lies there.
   */
  placeAfter(
    value: RegionValue,
  ): { readonly place: RegionValue; readonly changed: readonly Int32Array[] | undefined } | undefined {
    const free = this.#free.get(regionBytes(value.shape)) ?? [];
    const changed: Int32Array[] = [];
    for (let contents = value.contents; contents !== undefined; contents = contents.before) {
      const position = free.findIndex((region) => region.contents === contents);
      const [region] = position === -1 ? [] : free.splice(position, 1);
      if (region !== undefined) return { place: this.#valueIn(region, value.shape), changed };
      changed.push(contents.rows);
    }
    const place = this.place(value.shape);
    return place && { place, changed: undefined };
  }

  /** For values that are let go of. */
  giveBack(region: Region): void {
    const bytes = regionBytes(region.array.shape);
    const free = this.#free.get(bytes);
    if (free === undefined) this.#free.set(bytes, [region]);
    else free.push(region);
  }

  /** Whatever it was before. */
  #valueIn(region: Region, shape: readonly number[]): RegionValue {
    region.contents = undefined;
    return new RegionValue(this, isOfShape(region, shape) ? region : this.#region(region.address, shape));
  }

  #region(address: number, shape: readonly number[]): Region {
    return { address, array: ndarray('float32', shape, this.view(address, sizeOf(shape))), contents: undefined };
  }
}

/** A part of the memory, with an array of it that all values share which lie there one after the other: what is made of it can be kept. */
interface Region {
  readonly address: number;
  readonly array: NdArray<'float32'>;
  /** Of a value that is or was there, while nobody has written to it; undefined where nothing is known of it. */
  contents: Contents | undefined;
}

/** A value, as one that differs from it in some rows. */
interface Contents {
  readonly rows: Int32Array;
  /** Undefined of one that is forgotten, or that was made as a whole. */
  before: Contents | undefined;
}

/** How many steps back a value may be of which something still lies in a region: of longer chains of `Contents` none could be used. */
const STEPS_BACK = 4;

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

  /** What it is to others; undefined of one of which that was not said. */
  get contents(): Contents | undefined {
    return this.#region.contents;
  }

  /** Says that it is what another value is, but for some rows. */
  follows(before: RegionValue, rows: Int32Array): void {
    before.#region.contents ??= { rows: NO_ROWS, before: undefined };
    this.#region.contents = { rows, before: before.#region.contents };
    let oldest: Contents | undefined = this.#region.contents;
    for (let step = 0; step < STEPS_BACK; step += 1) oldest = oldest?.before;
    if (oldest !== undefined) oldest.before = undefined;
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

const NO_ROWS = new Int32Array(0);

/** The elements of an array of the host or of the memory of kernels. */
export function onHost(value: NdArray | RegionValue): NdArray {
  return value instanceof RegionValue ? value.onHost : value;
}
