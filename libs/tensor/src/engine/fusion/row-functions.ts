import { ADD, everywhere } from './kernel-ops.js';
import { LOAD, STORE, VECTOR_BYTES } from './kernel.js';
import { get, INSTRUCTION, sequence, set, unsigned, vectorInstruction, type WasmFunction } from './module-encoding.js';

/** An entry of a list: an unsigned integer. */
export const LISTED_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** What is added to an entry in a list of {@link ADD_ROWS}, which has so many bytes more than whole vectors then. */
export const FIRST = 1;

/**
 * Adds rows to others: its parameters are the bytes of a row, how many there are, one at least, where the list is that has for each how many bytes behind the
 * first of the others it goes, and the addresses of the first of both. With {@link FIRST} it goes where nothing is yet: it is added to zeros.
 */
export const ADD_ROWS: WasmFunction = {
  name: 'add rows',
  parameters: ['i32', 'i32', 'i32', 'i32', 'i32'],
  results: [],
  locals: ['i32', 'i32'],
  get body() {
    const [bytes, count, list, from, to, row, offset] = [0, 1, 2, 3, 4, 5, 6];
    const read = sequence(addressIn(from, offset), LOAD);
    const written = (before: readonly number[]): number[] =>
      eachVector(bytes, offset, sequence(addressIn(row, offset), before, read, vectorInstruction(ADD), STORE));
    return sequence(
      [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
      sequence(
        listed(list),
        INSTRUCTION.i32Const,
        ALL_BUT_FIRST,
        INSTRUCTION.i32And,
        get(to),
        INSTRUCTION.i32Add,
        set(row),
      ),
      sequence(listed(list), INSTRUCTION.i32Const, FIRST, INSTRUCTION.i32And, INSTRUCTION.if, INSTRUCTION.emptyBlock),
      written(everywhere(0)),
      sequence(INSTRUCTION.else, written(sequence(addressIn(row, offset), LOAD)), INSTRUCTION.end),
      sequence(get(from), get(bytes), INSTRUCTION.i32Add, set(from)),
      [nextOf(list, count), INSTRUCTION.end].flat(),
    );
  },
};

/** Copies rows to where they are in another table: its parameters are those of {@link ADD_ROWS}, with the addresses of both tables. */
export const COPY_ROWS: WasmFunction = {
  name: 'copy rows',
  parameters: ['i32', 'i32', 'i32', 'i32', 'i32'],
  results: [],
  locals: ['i32', 'i32', 'i32'],
  get body() {
    const [bytes, count, list, from, to, source, target, offset] = [0, 1, 2, 3, 4, 5, 6, 7];
    return sequence(
      [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
      sequence(listed(list), get(from), INSTRUCTION.i32Add, set(source)),
      sequence(listed(list), get(to), INSTRUCTION.i32Add, set(target)),
      eachVector(bytes, offset, sequence(addressIn(target, offset), addressIn(source, offset), LOAD, STORE)),
      [nextOf(list, count), INSTRUCTION.end].flat(),
    );
  },
};

/**
 * The function that calls that of a kernel for each row of a list: its parameters are how many there are, where the list is that has for each how many bytes
 * behind the beginning of its table it is, and those of the kernel for the first row, but for the beginnings of both tables.
 *
 * @param position that of the kernel's function in the module
 * @param table that of the table among the arrays of the kernel, of which all others are rows one after the other
 */
export function rowsFunction(name: string, kernel: WasmFunction, position: number, table: number): WasmFunction {
  const [count, list, first] = [0, 1, 2];
  const addresses = kernel.parameters.flatMap((type, parameter) => (type === 'i32' ? [parameter] : [])).slice(1);
  const [output] = addresses.slice(-1);
  const passed = kernel.parameters.map((_, parameter) => {
    const isOfTable = parameter === 1 + table || parameter === output;
    return isOfTable ? sequence(get(first + parameter), listed(list), INSTRUCTION.i32Add) : get(first + parameter);
  });
  const next = addresses
    .filter((parameter) => parameter !== 1 + table && parameter !== output)
    .map((parameter) => sequence(get(first + parameter), get(first), INSTRUCTION.i32Add, set(first + parameter)));
  return {
    name,
    parameters: ['i32', 'i32', ...kernel.parameters],
    results: [],
    locals: [],
    body: sequence(
      [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
      sequence(...passed, INSTRUCTION.call, unsigned(position)),
      sequence(...next),
      [nextOf(list, count), INSTRUCTION.end].flat(),
    ),
  };
}

/** What stands in a list where an address in a local variable points to. */
function listed(list: number): number[] {
  return sequence(get(list), INSTRUCTION.i32Load, WHERE_LISTED);
}

/** Goes on to the next in a list, and to the beginning of the loop around while there is one. */
function nextOf(list: number, count: number): number[] {
  return sequence(
    sequence(get(list), INSTRUCTION.i32Const, LISTED_BYTES, INSTRUCTION.i32Add, set(list)),
    sequence(get(count), INSTRUCTION.i32Const, MINUS_ONE, INSTRUCTION.i32Add),
    sequence(INSTRUCTION.localTee, unsigned(count), INSTRUCTION.branchIf, 0),
  );
}

/** Does something at each vector of a row, with the bytes before it in a local variable. */
function eachVector(bytes: number, offset: number, body: readonly number[]): number[] {
  return sequence(
    sequence(INSTRUCTION.i32Const, 0, set(offset)),
    [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
    body,
    sequence(get(offset), INSTRUCTION.i32Const, VECTOR_BYTES, INSTRUCTION.i32Add),
    sequence(INSTRUCTION.localTee, unsigned(offset), get(bytes), INSTRUCTION.i32LessUnsigned),
    [INSTRUCTION.branchIf, 0, INSTRUCTION.end],
  );
}

function addressIn(row: number, offset: number): number[] {
  return sequence(get(row), get(offset), INSTRUCTION.i32Add);
}

/** Aligned to 2 ** 2 bytes, from the address on. */
const WHERE_LISTED = [2, 0];

/** Signed, in LEB128: -1, and -2, which has all bits but one. */
const [MINUS_ONE, ALL_BUT_FIRST] = [0x7f, 0x7e];
