import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import type { Variable } from '../../graph/variable.js';
import { kernelOp } from './kernel-ops.js';
import { anyTiny } from './denormal-product.js';
import { get, INSTRUCTION, sequence, set, unsigned, vectorInstruction, type WasmFunction } from './module-encoding.js';

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

/** Whether a kernel is within what V8 takes of a function: 1000 parameters, and 50,000 variables. */
export function isWithinLimits({ nodes, arrays, scalars, outputs }: Kernel): boolean {
  return 1 + arrays.length + outputs.length + scalars.length <= 1000 && nodes.length <= 10_000;
}

/** What a step of the loop computes: float32 in a vector. */
const VECTOR_BYTES = 16;

/**
 * The function of a kernel. Its parameters are the number of bytes of an array, more than 0 and whole vectors; the addresses of the arrays
 * that are read and of the outputs, which may be no other's; and the scalars. Kernels that differ in their variables alone have equal
 * functions. It stands in a module of which `DENORMAL_PRODUCT` is the first function.
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
  const addressOf = (position: number): number[] => sequence(get(1 + position), get(offset), INSTRUCTION.i32Add);
  const body = sequence(
    scalars.flatMap((scalar, position) => sequence(get(scalarAt + position), SPLAT, set(localFor(scalar)))),
    [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
    arrays.flatMap((array, position) => sequence(addressOf(position), LOAD, set(localFor(array)))),
    ops(nodes, arrays, localFor),
    outputs.flatMap((output, position) => sequence(addressOf(arrays.length + position), get(localFor(output)), STORE)),
    sequence(
      get(offset),
      INSTRUCTION.i32Const,
      VECTOR_BYTES,
      INSTRUCTION.i32Add,
      INSTRUCTION.localTee,
      unsigned(offset),
    ),
    sequence(get(0), INSTRUCTION.i32LessUnsigned, INSTRUCTION.branchIf, 0),
    INSTRUCTION.end,
  );
  return { name, parameters, results: [], locals: ['i32', ...Array.from(localOf, () => 'v128' as const)], body };
}

/** The ops by plain instructions, or, where what products are made of is tiny, by those that denormals do not make slow. */
function ops(nodes: readonly Apply[], arrays: readonly Variable[], localFor: (variable: Variable) => number): number[] {
  const plain = nodes.flatMap((node) => computed(node, localFor, MULTIPLY));
  const factors = arraysOfProducts(nodes, arrays).map((array) => get(localFor(array)));
  if (factors.length === 0) return plain;
  const careful = nodes.flatMap((node) => computed(node, localFor, MULTIPLY_DENORMALS));
  const choice = [INSTRUCTION.if, INSTRUCTION.emptyBlock, ...careful, INSTRUCTION.else, ...plain, INSTRUCTION.end];
  return sequence(anyTiny(factors), choice);
}

/** The arrays that products are made of, themselves or what is computed from them. */
function arraysOfProducts(nodes: readonly Apply[], arrays: readonly Variable[]): Variable[] {
  const factors = new Set<Variable>();
  for (const node of nodes.toReversed()) {
    const isFactor = node.op.name === 'mul' || node.op.name === 'square' || factors.has(node.output);
    if (isFactor) for (const input of node.inputs) factors.add(input);
  }
  return arrays.filter((array) => factors.has(array));
}

function computed(node: Apply, localFor: (variable: Variable) => number, multiply: readonly number[]): number[] {
  const op = kernelOp(node);
  if (op === undefined) throw new Error(`${node.op.name} is in a kernel, but has no instructions`);
  const code = op.code((position) => get(localFor(at(node.inputs, position))), multiply);
  return [...code, ...set(localFor(node.output))];
}

/** Aligned to 2 ** 4 bytes, from the address on. */
const WHERE = [4, 0];
const LOAD = [...vectorInstruction(0x00), ...WHERE];
const STORE = [...vectorInstruction(0x0b), ...WHERE];
const SPLAT = vectorInstruction(0x13);
const MULTIPLY = vectorInstruction(0xe6);
/** The first function of the module. */
const MULTIPLY_DENORMALS = [INSTRUCTION.call, 0];
