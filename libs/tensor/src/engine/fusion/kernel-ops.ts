import type { DType } from '@longrun/serialization';

import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import type { OpName } from '../../ops/op-name.js';
import { INSTRUCTION, vectorInstruction } from './module-encoding.js';

/** How an op is computed of four elements at once. A bool is a mask: all bits of the element, or none. */
export interface KernelOp {
  /** Which inputs are read. */
  readonly operands: readonly number[];
  /** Instructions that leave the result on the stack, given those that put an input there. */
  code(push: (position: number) => readonly number[]): readonly number[];
}

/** How a kernel computes an application; undefined of one that it cannot compute with the bits of the engine. */
export function kernelOp(node: Apply): KernelOp | undefined {
  const op = OPS.get(node.op.name);
  if (op === undefined) return undefined;
  const { inputs, outputs } = node;
  const isTaken = op.dtypes.every(
    (dtype, position) => dtype === (inputs[position] ?? outputs[position - inputs.length])?.dtype,
  );
  return isTaken ? op.of(node) : undefined;
}

/** An op, for the dtypes of inputs and output that kernels take. */
interface OpOfKernels {
  readonly dtypes: readonly DType[];
  of(node: Apply): KernelOp | undefined;
}

const FLOAT = 'float32';

function unary(code: number): OpOfKernels {
  return { dtypes: [FLOAT, FLOAT], of: () => instruction(code, [0]) };
}

function binary(code: number): OpOfKernels {
  return { dtypes: [FLOAT, FLOAT, FLOAT], of: () => instruction(code, [0, 1]) };
}

function comparison(code: number): OpOfKernels {
  return { dtypes: [FLOAT, FLOAT, 'bool'], of: () => instruction(code, [0, 1]) };
}

function logic(code: number): OpOfKernels {
  return { dtypes: ['bool', 'bool', 'bool'], of: () => instruction(code, [0, 1]) };
}

/** One that gives an input as it is. */
function same(position: number, dtypes: readonly DType[]): OpOfKernels {
  return { dtypes, of: () => ({ operands: [position], code: (push) => push(position) }) };
}

/** The larger or the smaller of an element and a bound. Which it is of two zeros depends, in the engine, on where in an array they are. */
function bounded(code: number): OpOfKernels {
  return {
    dtypes: [FLOAT, FLOAT, FLOAT],
    of({ inputs }) {
      const bound = inputs.findIndex((input) => input instanceof Constant && input.ndim === 0 && isBound(input));
      // Of a NaN and a bound the instruction gives the first.
      return bound === -1 ? undefined : instruction(code, [1 - bound, bound]);
    },
  };
}

function isBound(variable: Constant): boolean {
  const value = variable.toNumber();
  return value !== 0 && !Number.isNaN(value);
}

function instruction(code: number, operands: readonly number[]): KernelOp {
  return { operands, code: (push) => [...operands.flatMap(push), ...vectorInstruction(code)] };
}

/** Puts a vector on the stack that has a number in each place. */
export function everywhere(value: number): readonly number[] {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return [INSTRUCTION.f32Const, ...bytes, ...vectorInstruction(0x13)];
}

/** Of vectors of float32. */
export const ADD = 0xe4;
const [AND, SELECT] = [0x4e, 0x52];

/**
 * IEEE 754 says what these give to the last bit. Not among them are `exp` and its like, of which each library has its own last bits, and what
 * gives other bits in an array than alone.
 */
const TABLE: Partial<Readonly<Record<OpName, OpOfKernels>>> = {
  abs: unary(0xe0),
  add: binary(ADD),
  and: logic(AND),
  cast: {
    dtypes: ['bool', FLOAT],
    of: () => ({ operands: [0], code: (push) => [...push(0), ...everywhere(1), ...vectorInstruction(AND)] }),
  },
  div: binary(0xe7),
  eq: comparison(0x41),
  fill: same(1, [FLOAT, FLOAT, FLOAT]),
  ge: comparison(0x46),
  gt: comparison(0x44),
  le: comparison(0x45),
  lt: comparison(0x43),
  maximum: bounded(0xeb),
  minimum: bounded(0xea),
  mul: binary(0xe6),
  neg: unary(0xe1),
  neq: comparison(0x42),
  not: {
    dtypes: ['bool', 'bool'],
    of: () => instruction(0x4d, [0]),
  },
  or: logic(0x50),
  sqrt: unary(0xe3),
  square: { dtypes: [FLOAT, FLOAT], of: () => instruction(0xe6, [0, 0]) },
  sub: binary(0xe5),
  where: {
    dtypes: ['bool', FLOAT, FLOAT, FLOAT],
    of: () => ({
      operands: [0, 1, 2],
      // ONNX Runtime gives 0 for a -0 that the condition chooses, and -0 for one that it leaves over.
      code: (push) => [
        ...push(1),
        ...everywhere(0),
        ...vectorInstruction(ADD),
        ...push(2),
        ...push(0),
        ...vectorInstruction(SELECT),
      ],
    }),
  },
  xor: logic(0x51),
};

const OPS: ReadonlyMap<string, OpOfKernels> = new Map(Object.entries(TABLE));
