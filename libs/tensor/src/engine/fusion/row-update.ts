import { sizeOf, type NdArray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import type { Variable } from '../../graph/variable.js';
import type { KernelProgram, RowsProgram } from './fused-program.js';
import { VECTOR_BYTES, type Kernel } from './kernel.js';
import { FIRST, LISTED_BYTES } from './row-functions.js';
import { floatsOf, rowsAt, type ScatteredRows } from './scattered-rows.js';
import { onHost, RegionValue, regionBytes, type StateMemory } from './state-memory.js';
import type { WebAssemblyFunction } from './web-assembly.js';

/** Rows of less are computed with all others: to find them takes longer. */
const LEAST_ROW_BYTES = 64;

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** The bits of -0. */
const NEGATIVE_ZERO = 0x80000000;

/**
 * The array that a kernel gives anew with other rows here and there, undefined of one that does more: it is added to, or subtracted from, what is made of
 * scattered rows and numbers alone.
 */
export function tableOf(
  { shape, nodes, arrays, outputs }: Kernel,
  scattered: ReadonlyMap<Variable, ScatteredRows>,
): Variable | undefined {
  const rowBytes = bytesOfRow(shape);
  if (shape.length < 2 || rowBytes < LEAST_ROW_BYTES || rowBytes % VECTOR_BYTES !== 0) return undefined;
  const [table, ...others] = arrays.filter((array) => !scattered.has(array));
  const last = at(outputs, 0).owner;
  if (table === undefined || others.length > 0 || arrays.length === 1 || outputs.length > 1) return undefined;
  const uses = nodes.flatMap(({ inputs }) => inputs).filter((input) => input === table);
  const isAdded = last?.op.name === 'add' && last.inputs.includes(table);
  const isTakenFrom = last?.op.name === 'sub' && last.inputs[0] === table;
  return uses.length === 1 && (isAdded || isTakenFrom) ? table : undefined;
}

/** What a module has for the rows of a kernel. */
export interface RowFunctions {
  /** That of the kernel. */
  readonly call: WebAssemblyFunction;
  /** That which calls it for each row of a list. */
  readonly callRows: WebAssemblyFunction;
  readonly addRows: WebAssemblyFunction;
  readonly copyRows: WebAssemblyFunction;
}

/** Rows that are added to zeros, when it is run. */
interface Added {
  /** Where the sums of rows are. */
  readonly sums: number;
  /** Of which row each is, from 0. */
  readonly places: Int32Array;
  readonly rows: NdArray | RegionValue;
}

/**
 * A kernel that computes no more of a table than the rows which are looked up. The others are those of the table before; most lie already where the new
 * one comes to lie, as a table of some steps before was there: only what has changed since is copied.
 */
export class RowUpdate {
  readonly #kernel: KernelProgram;
  readonly #memory: StateMemory;
  readonly #functions: RowFunctions;
  /** Position of the table among the arrays of the kernel; the others are made of rows. */
  readonly #table: number;
  readonly #scattered: readonly (RowsProgram | undefined)[];
  readonly #rowBytes: number;
  /** What all arrays of the kernel take, each. */
  readonly #bytes: number;
  readonly #size: number;
  /** How many rows came before one that is looked up; -1 of others, and of all between two runs. */
  readonly #slots: Int32Array;
  readonly #floats: Float32Array;
  /** For the functions that go through one: where the table would be if it had to be brought to the kernel. */
  readonly #list: Int32Array;

  constructor(kernel: KernelProgram, memory: StateMemory, functions: RowFunctions) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#functions = functions;
    this.#scattered = kernel.arrays.map((array) => (typeof array === 'number' ? undefined : array));
    this.#table = this.#scattered.indexOf(undefined);
    this.#rowBytes = bytesOfRow(kernel.shape);
    this.#bytes = regionBytes(kernel.shape);
    this.#size = at(kernel.shape, 0);
    this.#slots = new Int32Array(this.#size).fill(-1);
    this.#floats = new Float32Array(memory.linear.buffer);
    this.#list = new Int32Array(memory.linear.buffer, this.#table * this.#bytes, this.#bytes / LISTED_BYTES);
  }

  /**
   * The new table; undefined where all of it is to be computed: as there are many rows, others change too, or it is not in the memory of kernels,
   * or has no room there.
   *
   * @throws RangeError for an index that is out of range
   */
  run(valueOf: (position: number) => NdArray | RegionValue, numbers: readonly number[]): RegionValue | undefined {
    const position = at(this.#kernel.arrays, this.#table);
    const table = typeof position === 'number' ? valueOf(position) : undefined;
    if (!(table instanceof RegionValue)) return undefined;
    const added = this.#scattered.flatMap((made, array): Added[] => {
      if (made === undefined) return [];
      const places = rowsAt(onHost(valueOf(made.indices)), this.#size);
      return [{ sums: array * this.#bytes, places, rows: valueOf(made.rows) }];
    });
    if (added.some(({ places }) => places.length > this.#list.length)) return undefined;
    const touched = this.#touched(added);
    try {
      if (2 * touched.length > this.#size || !this.#keepsOthers(numbers)) return undefined;
      const found = this.#memory.placeAfter(table);
      if (found === undefined) return undefined;
      this.#bring(table, found.place, found.changed);
      this.#sum(added, touched.length);
      this.#compute(table, found.place, touched, numbers);
      found.place.follows(table, touched);
      return found.place;
    } finally {
      for (const row of touched) this.#slots[row] = -1;
    }
  }

  /** The rows that are looked up, each once, which now have slots. */
  #touched(added: readonly Added[]): Int32Array {
    const rows = new Int32Array(added.reduce((sum, { places }) => sum + places.length, 0));
    let count = 0;
    for (const { places } of added) {
      for (const row of places) {
        if (this.#slots[row] !== -1) continue;
        this.#slots[row] = count;
        rows[count] = row;
        count += 1;
      }
    }
    return rows.slice(0, count);
  }

  /** Whether what is computed of zeros is one that changes nothing, not even the sign of a -0. */
  #keepsOthers(numbers: readonly number[]): boolean {
    const { arrays } = this.#kernel;
    const vector = VECTOR_BYTES / FLOAT_BYTES;
    const addresses = arrays.map((_, position) => position * this.#bytes);
    for (const [position, address] of addresses.entries()) {
      this.#memory.view(address, vector).fill(position === this.#table ? -0 : 0);
    }
    const result = arrays.length * this.#bytes;
    this.#functions.call(VECTOR_BYTES, ...addresses, result, ...numbers);
    return new Uint32Array(this.#memory.linear.buffer, result, 1)[0] === NEGATIVE_ZERO;
  }

  /** Has all rows of the table in its new place but for those that are computed. */
  #bring(table: RegionValue, place: RegionValue, changed: readonly Int32Array[] | undefined): void {
    const [from, to] = [table.address / FLOAT_BYTES, place.address / FLOAT_BYTES];
    const width = this.#rowBytes / FLOAT_BYTES;
    const most = changed?.reduce((sum, rows) => sum + rows.length, 0) ?? Infinity;
    if (changed === undefined || 2 * most > this.#size) {
      this.#floats.copyWithin(to, from, from + this.#size * width);
      return;
    }
    let count = 0;
    for (const rows of changed) {
      for (const row of rows) {
        if (this.#slots[row] !== -1) continue;
        this.#list[count] = row * this.#rowBytes;
        count += 1;
      }
    }
    if (count > 0) this.#functions.copyRows(this.#rowBytes, count, this.#list.byteOffset, table.address, place.address);
  }

  /** Adds up the rows of each slot, in their order. */
  #sum(added: readonly Added[], slots: number): void {
    const [rowBytes, width] = [this.#rowBytes, this.#rowBytes / FLOAT_BYTES];
    for (const { sums, places, rows } of added) {
      // Slots are in the order in which they come up, of all that is added.
      let next = added.length === 1 ? 0 : slots;
      if (next > 0) this.#memory.view(sums, slots * width).fill(0);
      for (let row = 0; row < places.length; row += 1) {
        const slot = at(this.#slots, at(places, row));
        this.#list[row] = slot * rowBytes + (slot === next ? FIRST : 0);
        if (slot === next) next += 1;
      }
      this.#inMemory(rows, places.length, (first, count, address) => {
        this.#functions.addRows(rowBytes, count, this.#list.byteOffset + first * LISTED_BYTES, address, sums);
      });
    }
  }

  /** Has rows in the memory of kernels, where they are not there as many at a time as there is room for, and says of each time which they are. */
  #inMemory(rows: Added['rows'], count: number, body: (first: number, count: number, address: number) => void): void {
    if (count === 0) return;
    if (rows instanceof RegionValue) {
      body(0, count, rows.address);
      return;
    }
    const [elements, width] = [floatsOf(rows), this.#rowBytes / FLOAT_BYTES];
    // Where the result would be that has no room elsewhere.
    const aside = this.#kernel.arrays.length * this.#bytes;
    for (let first = 0; first < count; first += this.#size) {
      const part = elements.subarray(first * width, (first + this.#size) * width);
      this.#memory.view(aside, part.length).set(part);
      body(first, part.length / width, aside);
    }
  }

  #compute(table: RegionValue, place: RegionValue, touched: Int32Array, numbers: readonly number[]): void {
    if (touched.length === 0) return;
    for (let slot = 0; slot < touched.length; slot += 1) this.#list[slot] = at(touched, slot) * this.#rowBytes;
    const addresses = this.#scattered.map((_, position) => position * this.#bytes);
    addresses[this.#table] = table.address;
    const { callRows } = this.#functions;
    callRows(touched.length, this.#list.byteOffset, this.#rowBytes, ...addresses, place.address, ...numbers);
  }
}

function bytesOfRow(shape: readonly number[]): number {
  return sizeOf(shape.slice(1)) * FLOAT_BYTES;
}
