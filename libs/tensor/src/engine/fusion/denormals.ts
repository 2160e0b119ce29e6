import { LOAD, STORE, VECTOR_BYTES } from './kernel.js';
import {
  encodeModule,
  get,
  INSTRUCTION,
  sequence,
  unsigned,
  vectorInstruction,
  type WasmFunction,
} from './module-encoding.js';
import { functionsOf, PAGE_BYTES, reserveMemory } from './web-assembly.js';

let known: boolean | undefined;

/**
 * Whether denormals make products on this processor so slow that a longer way around them is the faster one: measured when it is first asked for, in less than
 * a millisecond. Results are the same either way, so that it does not matter if that was disturbed.
 */
export function denormalsAreSlow(): boolean {
  known ??= measured();
  return known;
}

/** How much slower. Intel's are by some 30 times and more, AMD's since Zen by less than 3. */
const SLOW = 8;
const ROUNDS = 5;

function measured(): boolean {
  const memory = reserveMemory(PAGE_BYTES);
  const halve = functionsOf(encodeModule([HALVE]), memory, false).get(HALVE.name);
  if (halve === undefined) throw new Error(`The module has no ${HALVE.name}`);
  const factors = new Float32Array(memory.buffer, 0, ARRAY_BYTES / Float32Array.BYTES_PER_ELEMENT);
  const timeOf = (factor: number): number => {
    factors.fill(factor);
    const begunAt = performance.now();
    halve(ARRAY_BYTES, 0, ARRAY_BYTES);
    return performance.now() - begunAt;
  };
  let [ordinary, denormal] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round += 1) {
    ordinary = Math.min(ordinary, timeOf(0.5));
    denormal = Math.min(denormal, timeOf(DENORMAL));
  }
  return denormal > SLOW * ordinary;
}

const ARRAY_BYTES = PAGE_BYTES / 4;
const DENORMAL = 2 ** -140;

/** Halves what is at an address, to another one: its parameters are a number of bytes, and both. */
const HALVE: WasmFunction = {
  name: 'halve',
  parameters: ['i32', 'i32', 'i32'],
  results: [],
  locals: ['i32'],
  get body() {
    const [bytes, from, to, offset] = [0, 1, 2, 3];
    const addressIn = (array: number): number[] => sequence(get(array), get(offset), INSTRUCTION.i32Add);
    return sequence(
      [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
      sequence(addressIn(to), addressIn(from), LOAD, HALF, vectorInstruction(MULTIPLY), STORE),
      sequence(get(offset), INSTRUCTION.i32Const, VECTOR_BYTES, INSTRUCTION.i32Add),
      sequence(INSTRUCTION.localTee, unsigned(offset), get(bytes), INSTRUCTION.i32LessUnsigned),
      [INSTRUCTION.branchIf, 0, INSTRUCTION.end],
    );
  },
};

const HALF = [INSTRUCTION.f32Const, ...new Uint8Array(Float32Array.of(0.5).buffer), ...vectorInstruction(0x13)];
const MULTIPLY = 0xe6;
