import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import type { Variable } from '../../graph/variable.js';
import { graphInputs } from '../../graph/walk.js';

/**
 * Why the optimizer of ONNX Runtime may compute an elementwise op together with what is beside it, which gives other last bits; undefined
 * where it does not: the engine's `fusion.rewrites`.
 */
export function rewritten({ op, inputs }: Apply, usesOf: (variable: Variable) => number): string | undefined {
  const isOnlyUse = (variable: Variable): boolean => usesOf(variable) === 1;
  // MatMul and Add become Gemm, MatMul and Mul or Div by a constant FusedMatMul, where nothing else uses the product.
  const product = inputs.find((input) => isOnlyUse(input) && PRODUCTS.has(String(input.owner?.op.name)));
  if (product !== undefined) {
    const isScaled = op.name === 'mul' || op.name === 'div';
    const isTaken =
      op.name === 'add' || (isScaled && inputs.some((input) => input !== product && isOfConstants(input)));
    if (isTaken) return `ONNX Runtime may make one op of it and ${product.owner?.op.name}`;
  }
  if (op.name === 'add' && inputs.some((input) => isConstant(input, 0)))
    return 'ONNX Runtime leaves out additions of 0';
  if (op.name === 'mul' && inputs.some(isReciprocal)) return 'ONNX Runtime divides where 1 / x is multiplied with';
  const condition = String(inputs[0]?.owner?.op.name);
  if (op.name === 'where' && (condition === 'not' || condition === 'neq')) {
    return 'ONNX Runtime exchanges what there is to choose between';
  }
  return undefined;
}

function isReciprocal({ owner }: Variable): boolean {
  const dividend = owner?.op.name === 'div' ? owner.inputs[0] : undefined;
  return dividend !== undefined && isConstant(dividend, 1);
}

/** Ops that are lowered to products of matrices or convolutions. */
const PRODUCTS: ReadonlySet<string> = new Set(['dot', 'matmul', 'conv2d', 'conv2dGradFilters', 'conv2dGradInputs']);

/** Whether it is known before a run, so that the optimizer makes a constant of it. */
function isOfConstants(variable: Variable): boolean {
  return graphInputs([variable]).every((input) => input instanceof Constant);
}

function isConstant(variable: Variable, value: number): boolean {
  return variable instanceof Constant && variable.value.data.every((element) => Number(element) === value);
}
