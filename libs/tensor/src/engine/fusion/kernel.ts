import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import type { Variable } from '../../graph/variable.js';
import type { OpName } from '../../ops/op-name.js';
import {
  anyTiny,
  carefulProduct,
  carefulQuotient,
  carefulRoot,
  carefulScaling,
  prepareFactor,
  type Factor,
  type Temporaries,
} from './careful-ops.js';
import { kernelOp, type KernelOp } from './kernel-ops.js';
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
export const VECTOR_BYTES = 16;

/**
 * The function of a kernel. Its parameters are the number of bytes of an array, more than 0 and whole vectors; the addresses of the arrays
 * that are read and of the outputs, which may be no other's; and the scalars. Kernels of one {@link structureOf} have equal functions. It
 * stands in a module behind `CAREFUL_FUNCTIONS`.
 */
export function kernelFunction(name: string, kernel: Kernel): WasmFunction {
  const { arrays, scalars, outputs } = kernel;
  const addresses = [...arrays, ...outputs];
  const parameters = ['i32' as const, ...addresses.map(() => 'i32' as const), ...scalars.map(() => 'f32' as const)];
  const scalarAt = 1 + addresses.length;
  const offset = parameters.length;
  const locals = new VectorLocals(offset + 1);
  const addressOf = (position: number): number[] => sequence(get(1 + position), get(offset), INSTRUCTION.i32Add);
  const factors = new Map(
    scalars.map((scalar, position) => {
      const [scale, bound, least] = [locals.another(), locals.another(), locals.another()];
      return [scalar, { scalar: scalarAt + position, everywhere: locals.of(scalar), scale, bound, least }];
    }),
  );
  const body = sequence(
    [...factors.values()].flatMap((factor) =>
      sequence(get(factor.scalar), SPLAT, set(factor.everywhere), prepareFactor(factor)),
    ),
    [INSTRUCTION.loop, INSTRUCTION.emptyBlock],
    arrays.flatMap((array, position) => sequence(addressOf(position), LOAD, set(locals.of(array)))),
    ops(kernel, locals, factors),
    outputs.flatMap((output, position) => sequence(addressOf(arrays.length + position), get(locals.of(output)), STORE)),
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
  return { name, parameters, results: [], locals: ['i32', ...locals.types], body };
}

/** What decides on the function of a kernel: all but its shape, and which variables they are. */
export function structureOf({ nodes, arrays, scalars, outputs }: Kernel): string {
  const numbers = new Map([...arrays, ...scalars].map((variable, number) => [variable, number]));
  const numberOf = (variable: Variable): string => String(numbers.get(variable) ?? '');
  const applied = nodes.map((node) => {
    const op = `${node.op.name}(${node.inputs.map(numberOf).join()}|${operationOf(node).operands.join()})`;
    numbers.set(node.output, numbers.size);
    return op;
  });
  return [arrays.length, scalars.length, ...applied, outputs.map(numberOf).join()].join(' ');
}

/** The locals of a kernel that are vectors. */
class VectorLocals {
  readonly #first: number;
  readonly #known = new Map<Variable, number>();
  #count = 0;

  constructor(first: number) {
    this.#first = first;
  }

  /** Of a variable's elements. */
  of(variable: Variable): number {
    const local = this.#known.get(variable) ?? this.another();
    this.#known.set(variable, local);
    return local;
  }

  /** One that has no variable. */
  another(): number {
    this.#count += 1;
    return this.#first + this.#count - 1;
  }

  get types(): 'v128'[] {
    return Array.from({ length: this.#count }, () => 'v128' as const);
  }
}

/** The ops by plain instructions, or, where that is worth it and what they compute with is tiny, by those that denormals do not make slow. */
function ops({ nodes, arrays }: Kernel, locals: VectorLocals, factors: ReadonlyMap<Variable, Factor>): number[] {
  const pushed = (node: Apply) => (position: number) => get(locals.of(at(node.inputs, position)));
  const plain = nodes.flatMap((node) => sequence(codeOf(node, pushed(node)), set(locals.of(node.output))));
  const watched = slowWithDenormals(nodes, arrays).map((array) => get(locals.of(array)));
  if (watched.length === 0) return plain;
  const temporaries = { small: locals.another(), magnitude: locals.another(), hidden: locals.another() };
  const careful = nodes.flatMap((node) => {
    const code = carefulCode(node, pushed(node), (variable) => factors.get(variable), temporaries);
    return sequence(code, set(locals.of(node.output)));
  });
  const choice = [INSTRUCTION.if, INSTRUCTION.emptyBlock, ...careful, INSTRUCTION.else, ...plain, INSTRUCTION.end];
  const isTiny = [INSTRUCTION.globalGet, CAREFUL, INSTRUCTION.if, INSTRUCTION.integerBlock, ...anyTiny(watched)];
  return sequence(isTiny, [INSTRUCTION.else, INSTRUCTION.i32Const, 0, INSTRUCTION.end], choice);
}

/** The arrays that products, quotients and roots are made of, themselves or what is computed from them. */
function slowWithDenormals(nodes: readonly Apply[], arrays: readonly Variable[]): Variable[] {
  const operands = new Set<Variable>();
  for (const node of nodes.toReversed()) {
    if (SLOW.has(node.op.name) || operands.has(node.output)) for (const input of node.inputs) operands.add(input);
  }
  return arrays.filter((array) => operands.has(array));
}

/** Of the globals that a module imports, its number. */
const CAREFUL = 0;

const SLOW: ReadonlySet<string> = new Set<OpName>(['div', 'mul', 'sqrt', 'square']);

/** Puts an input of an application on the stack. */
type Push = (position: number) => readonly number[];

function codeOf(node: Apply, push: Push): readonly number[] {
  return operationOf(node).code(push);
}

function operationOf(node: Apply): KernelOp {
  const op = kernelOp(node);
  if (op === undefined) throw new Error(`${node.op.name} is in a kernel, but has no instructions`);
  return op;
}

function carefulCode(
  node: Apply,
  push: Push,
  factorOf: (variable: Variable) => Factor | undefined,
  temporaries: Temporaries,
): readonly number[] {
  switch (node.op.name) {
    case 'mul': {
      const [first, second] = node.inputs.map(factorOf);
      if (second !== undefined) return carefulScaling(push(0), second, temporaries);
      if (first !== undefined) return carefulScaling(push(1), first, temporaries);
      return carefulProduct(push(0), push(1));
    }
    case 'square':
      return carefulProduct(push(0), push(0));
    case 'div':
      return carefulQuotient(push(0), push(1));
    case 'sqrt':
      return carefulRoot(push(0));
    default:
      return codeOf(node, push);
  }
}

/** Aligned to 2 ** 4 bytes, from the address on. */
const WHERE = [4, 0];
/** Takes an address from the stack, and puts the vector there on it. */
export const LOAD = [...vectorInstruction(0x00), ...WHERE];
/** Takes an address, and a vector to put there. */
export const STORE = [...vectorInstruction(0x0b), ...WHERE];
const SPLAT = vectorInstruction(0x13);
