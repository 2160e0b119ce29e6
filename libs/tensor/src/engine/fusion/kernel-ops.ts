import type { DType } from '@longrun/serialization';

import type { Apply } from '../../graph/apply.js';
import type { OpName } from '../../ops/op-name.js';
import { INSTRUCTION, vectorInstruction } from './module-encoding.js';

/** How an op is computed of four elements at once. A bool is a mask: all bits of the element, or none. */
export interface KernelOp {
  /** Which inputs are put on the stack, in this order. */
  readonly operands: readonly number[];
  /** Makes the result of them. */
  readonly instructions: readonly number[];
  /** Dtypes of inputs and output. */
  readonly dtypes: readonly DType[];
}

/** How a kernel computes an application; undefined of one that it cannot compute with the bits of the engine. */
export function kernelOp({ op, inputs, outputs }: Apply): KernelOp | undefined {
  const found = KERNEL_OPS.get(op.name);
  const dtypes = [...inputs, ...outputs].map(({ dtype }) => dtype);
  return found?.dtypes.every((dtype, position) => dtype === dtypes[position]) === true ? found : undefined;
}

const FLOAT = 'float32';

function unary(code: number): KernelOp {
  return { operands: [0], instructions: vectorInstruction(code), dtypes: [FLOAT, FLOAT] };
}

function binary(code: number): KernelOp {
  return { operands: [0, 1], instructions: vectorInstruction(code), dtypes: [FLOAT, FLOAT, FLOAT] };
}

function comparison(code: number): KernelOp {
  return { operands: [0, 1], instructions: vectorInstruction(code), dtypes: [FLOAT, FLOAT, 'bool'] };
}

function logic(code: number): KernelOp {
  return { operands: [0, 1], instructions: vectorInstruction(code), dtypes: ['bool', 'bool', 'bool'] };
}

const MULTIPLY = 0xe6;
const ONE = [INSTRUCTION.f32Const, 0x00, 0x00, 0x80, 0x3f];

/**
 * IEEE 754 says what these give to the last bit, but for those of a NaN. Not among them are those of which the engines' kernels do otherwise, and
 * `exp` and its like, of which each library has its own last bits.
 */
const OPS: Partial<Readonly<Record<OpName, KernelOp>>> = {
  abs: unary(0xe0),
  add: binary(0xe4),
  and: logic(0x4e),
  cast: {
    operands: [0],
    instructions: [...ONE, ...vectorInstruction(0x13), ...vectorInstruction(0x4e)],
    dtypes: ['bool', FLOAT],
  },
  div: binary(0xe7),
  eq: comparison(0x41),
  fill: { operands: [1], instructions: [], dtypes: [FLOAT, FLOAT, FLOAT] },
  ge: comparison(0x46),
  gt: comparison(0x44),
  identity: { operands: [0], instructions: [], dtypes: [FLOAT, FLOAT] },
  le: comparison(0x45),
  lt: comparison(0x43),
  maximum: binary(0xe9),
  minimum: binary(0xe8),
  mul: binary(MULTIPLY),
  neg: unary(0xe1),
  neq: comparison(0x42),
  not: { operands: [0], instructions: vectorInstruction(0x4d), dtypes: ['bool', 'bool'] },
  or: logic(0x50),
  sqrt: unary(0xe3),
  square: { operands: [0, 0], instructions: vectorInstruction(MULTIPLY), dtypes: [FLOAT, FLOAT] },
  sub: binary(0xe5),
  where: { operands: [1, 2, 0], instructions: vectorInstruction(0x52), dtypes: ['bool', FLOAT, FLOAT, FLOAT] },
  xor: logic(0x51),
};

const KERNEL_OPS: ReadonlyMap<string, KernelOp> = new Map(Object.entries(OPS));
