import { sizeOf, type NdArray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import type { Variable } from '../../graph/variable.js';
import type { KernelProgram, RowsProgram } from './fused-program.js';
import { LOAD, STORE, VECTOR_BYTES, type Kernel } from './kernel.js';
import { get, INSTRUCTION, sequence, unsigned, vectorInstruction, type WasmFunction } from './module-encoding.js';
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

/** Adds a row to another: its parameters are the bytes of a row, and the addresses of both. */
export const ADD_ROW: WasmFunction = {
  name: 'add row',
  parameters: ['i32', 'i32', 'i32'],
  results: [],
  locals: ['i32'],
  get body() {
    const [bytes, from, to, offset] = [0, 1, 2, 3];
    const addressIn = (row: number): number[] => sequence(get(row), get(offset), INSTRUCTION.i32Add);
    return sequence(
      [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
      sequence(addressIn(to), addressIn(to), LOAD, addressIn(from), LOAD, vectorInstruction(ADD), STORE),
      sequence(get(offset), INSTRUCTION.i32Const, VECTOR_BYTES, INSTRUCTION.i32Add),
      sequence(INSTRUCTION.localTee, unsigned(offset), get(bytes), INSTRUCTION.i32LessUnsigned),
      [INSTRUCTION.branchIf, 0, INSTRUCTION.end],
    );
  },
};

/** Of vectors of float32. */
const ADD = 0xe4;

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
  readonly #call: WebAssemblyFunction;
  readonly #addRow: WebAssemblyFunction;
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

  constructor(
    kernel: KernelProgram,
    memory: StateMemory,
    functions: { readonly call: WebAssemblyFunction; readonly addRow: WebAssemblyFunction },
  ) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#call = functions.call;
    this.#addRow = functions.addRow;
    this.#scattered = kernel.arrays.map((array) => (typeof array === 'number' ? undefined : array));
    this.#table = this.#scattered.indexOf(undefined);
    this.#rowBytes = bytesOfRow(kernel.shape);
    this.#bytes = regionBytes(kernel.shape);
    this.#size = at(kernel.shape, 0);
    this.#slots = new Int32Array(this.#size).fill(-1);
    this.#floats = new Float32Array(memory.linear.buffer);
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
    this.#call(VECTOR_BYTES, ...addresses, result, ...numbers);
    return new Uint32Array(this.#memory.linear.buffer, result, 1)[0] === NEGATIVE_ZERO;
  }

  /** Has all rows of the table in its new place but for those that are computed. */
  #bring(table: RegionValue, place: RegionValue, changed: readonly Int32Array[] | undefined): void {
    const [from, to] = [table.address / FLOAT_BYTES, place.address / FLOAT_BYTES];
    const width = this.#rowBytes / FLOAT_BYTES;
    const count = changed?.reduce((sum, rows) => sum + rows.length, 0) ?? Infinity;
    if (changed === undefined || 2 * count > this.#size) {
      this.#floats.copyWithin(to, from, from + this.#size * width);
      return;
    }
    for (const rows of changed) {
      for (const row of rows) {
        if (this.#slots[row] !== -1) continue;
        const start = row * width;
        this.#floats.copyWithin(to + start, from + start, from + start + width);
      }
    }
  }

  /** Adds up the rows of each slot, in their order. */
  #sum(added: readonly Added[], slots: number): void {
    const [rowBytes, width] = [this.#rowBytes, this.#rowBytes / FLOAT_BYTES];
    // Where the result would be that has no room elsewhere.
    const aside = this.#kernel.arrays.length * this.#bytes;
    for (const { sums, places, rows } of added) {
      this.#memory.view(sums, slots * width).fill(0);
      const elements = rows instanceof RegionValue ? undefined : floatsOf(rows);
      let from = rows instanceof RegionValue ? rows.address : aside;
      for (let row = 0; row < places.length; row += 1) {
        if (elements !== undefined)
          this.#memory.view(aside, width).set(elements.subarray(row * width, (row + 1) * width));
        this.#addRow(rowBytes, from, sums + at(this.#slots, at(places, row)) * rowBytes);
        if (elements === undefined) from += rowBytes;
      }
    }
  }

  #compute(table: RegionValue, place: RegionValue, touched: Int32Array, numbers: readonly number[]): void {
    const rowBytes = this.#rowBytes;
    const addresses = this.#scattered.map((_, position) => position * this.#bytes);
    for (let slot = 0; slot < touched.length; slot += 1) {
      const start = at(touched, slot) * rowBytes;
      addresses[this.#table] = table.address + start;
      this.#call(rowBytes, ...addresses, place.address + start, ...numbers);
      for (let position = 0; position < addresses.length; position += 1)
        addresses[position] = at(addresses, position) + rowBytes;
    }
  }
}

function bytesOfRow(shape: readonly number[]): number {
  return sizeOf(shape.slice(1)) * FLOAT_BYTES;
}
