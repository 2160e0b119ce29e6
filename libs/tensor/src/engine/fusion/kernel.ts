import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import type { Variable } from '../../graph/variable.js';
import { kernelOp } from './kernel-ops.js';
import { EMPTY_BLOCK, INSTRUCTION, unsigned, vectorInstruction, type WasmFunction } from './module-encoding.js';

/** Elementwise ops on arrays of one shape, which one pass over the elements computes. */
export interface Kernel {
  readonly shape: readonly number[];
  /** Each after those it depends on. */
  readonly nodes: readonly Apply[];
  /** What it reads, of the shape. */
  readonly arrays: readonly Variable[];
  /** What it reads, of one element. */
  readonly scalars: readonly Variable[];
  /** What it writes, of the shape. */
  readonly outputs: readonly Variable[];
}

/** What a step of the loop computes: float32 in a vector. */
export const VECTOR_BYTES = 16;

/**
 * The function of a kernel. Its parameters are the number of bytes of an array, more than 0 and whole vectors; the addresses of the arrays
 * that are read and of the outputs, which may be no other's; and the scalars. Kernels that differ in their variables alone have equal functions.
 */
export function kernelFunction(name: string, { nodes, arrays, scalars, outputs }: Kernel): WasmFunction {
  const addresses = [...arrays, ...outputs];
  const parameters = ['i32' as const, ...addresses.map(() => 'i32' as const), ...scalars.map(() => 'f32' as const)];
  const scalarAt = 1 + addresses.length;
  const offset = parameters.length;
  const localOf = new Map<Variable, number>();
  const localFor = (variable: Variable): number => {
    const local = localOf.get(variable) ?? offset + 1 + localOf.size;
    localOf.set(variable, local);
    return local;
  };
  const addressOf = (position: number): number[] => [...get(1 + position), ...get(offset), INSTRUCTION.i32Add];
  const body = [
    ...scalars.flatMap((scalar, position) => [...get(scalarAt + position), ...SPLAT, ...set(localFor(scalar))]),
    INSTRUCTION.loop,
    EMPTY_BLOCK,
    ...arrays.flatMap((array, position) => [...addressOf(position), ...LOAD, ...set(localFor(array))]),
    ...nodes.flatMap((node) => computed(node, localFor)),
    ...outputs.flatMap((output, position) => [
      ...addressOf(arrays.length + position),
      ...get(localFor(output)),
      ...STORE,
    ]),
    ...get(offset),
    INSTRUCTION.i32Const,
    VECTOR_BYTES,
    INSTRUCTION.i32Add,
    INSTRUCTION.localTee,
    ...unsigned(offset),
    ...get(0),
    INSTRUCTION.i32LessUnsigned,
    INSTRUCTION.branchIf,
    0,
    INSTRUCTION.end,
  ];
  return { name, parameters, locals: ['i32', ...Array.from(localOf, () => 'v128' as const)], body };
}

function computed(node: Apply, localFor: (variable: Variable) => number): number[] {
  const op = kernelOp(node);
  if (op === undefined) throw new Error(`${node.op.name} is in a kernel, but has no instructions`);
  const code = op.code((position) => get(localFor(at(node.inputs, position))));
  return [...code, ...set(localFor(node.output))];
}

function get(local: number): number[] {
  return [INSTRUCTION.localGet, ...unsigned(local)];
}

function set(local: number): number[] {
  return [INSTRUCTION.localSet, ...unsigned(local)];
}

/** Aligned to 2 ** 4 bytes, from the address on. */
const WHERE = [4, 0];
const LOAD = [...vectorInstruction(0x00), ...WHERE];
const STORE = [...vectorInstruction(0x0b), ...WHERE];
const SPLAT = vectorInstruction(0x13);
