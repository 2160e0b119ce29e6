import { assertNever, type DType } from '@longrun/serialization';

import { broadcastDims, floatFor, formatShape, isFloat, promote, TensorTypeError } from '../graph/tensor-type.js';
import { applyOp, type Apply } from '../graph/apply.js';
import { constant } from '../graph/constant.js';
import { onlyGradient, type Op, type OpParameter } from '../graph/op.js';
import { describe, Variable } from '../graph/variable.js';
import { broadcastStrides, dense, offsets, wrapInteger, type DenseArray } from '../engine/reference/dense-array.js';
import type { OnnxGraph } from '../onnx/onnx-graph.js';
import { cast } from './cast.js';
import { unbroadcast } from './unbroadcast.js';

/** A variable, or a number that takes the dtype of the variables beside it. */
export type Operand = Variable | number;

/** What an elementwise op has of its own; broadcasting, dtypes and loops come from {@link elementwise}. */
export interface ElementwiseDefinition {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, OpParameter>>;
  /** `any`: bools too; `number`: ints and floats; `float`: ints and bools are cast to floats; `bool`: bools only. */
  readonly accepts: 'any' | 'number' | 'float' | 'bool';
  /** Dtype of the result; without it, that of the last operand. */
  readonly result?: DType;
  /** The first operand is a bool and chooses; only the others are promoted to one dtype. */
  readonly firstIsCondition?: boolean;
  /** One element, in float64. */
  compute(...operands: number[]): number;
  /** One ONNX op type, or several nodes. The inputs have a dtype that ONNX Runtime computes in. */
  readonly onnx: string | ((graph: OnnxGraph, inputs: readonly string[], dtype: DType) => string);
  /** Gradients before broadcast axes are summed away. Absent when no gradient flows. */
  gradients?(gradient: Variable, inputs: readonly Variable[], output: Variable): readonly (Variable | null)[];
}

/** Makes the op of an elementwise definition: operands broadcast as in NumPy, over static 1s only. */
export function elementwise(definition: ElementwiseDefinition): Op {
  return {
    name: definition.name,
    parameters: definition.parameters ?? {},
    inferTypes(inputs) {
      const shape = broadcastDims(inputs.map((input) => input.shape));
      if (shape === undefined) {
        throw new TensorTypeError(
          `${definition.name}: ${inputs.map(describe).join(' and ')} do not broadcast; sizes must be equal or 1, counted from the last axis`,
        );
      }
      return [{ dtype: definition.result ?? inputs.at(-1)?.dtype ?? 'float32', shape }];
    },
    grad(node, outputGradients) {
      if (definition.gradients === undefined) return node.inputs.map(() => null);
      const gradients = definition.gradients(onlyGradient(node, outputGradients), node.inputs, node.output);
      return node.inputs.map((input, at) => {
        const gradient = gradients[at] ?? null;
        return gradient === null ? null : unbroadcast(gradient, input);
      });
    },
    onnx(graph, inputs, node) {
      return [lower(definition, graph, inputs, node)];
    },
    run(inputs, node) {
      const shape = runtimeShape(node, inputs);
      const reads = inputs.map((input) => offsets(shape, broadcastStrides(input.shape, shape)));
      const operands = inputs.map(() => 0);
      const data = new Float64Array(reads[0]?.length ?? 0);
      for (let at = 0; at < data.length; at += 1) {
        for (let k = 0; k < operands.length; k += 1) operands[k] = inputs[k]?.data[reads[k]?.[at] ?? 0] ?? Number.NaN;
        data[at] = definition.compute(...operands);
      }
      const { dtype } = node.output;
      return [dense(dtype, shape, wrapInteger(dtype, data))];
    },
  };
}

/** Applies an elementwise op: numbers become constants, and operands are cast to one dtype that the op accepts. */
export function applyElementwise(
  op: Op,
  definition: Pick<ElementwiseDefinition, 'accepts' | 'firstIsCondition'>,
  operands: readonly Operand[],
): Variable {
  const condition =
    definition.firstIsCondition === true ? operands.slice(0, 1).map((operand) => asCondition(op, operand)) : [];
  const rest = operands.slice(condition.length);
  const variables = rest.filter((operand) => operand instanceof Variable);
  const numbers = rest.filter((operand) => typeof operand === 'number');
  let dtype = variables.map((variable) => variable.dtype).reduce(promoteOptional, undefined) ?? 'float32';
  // 0.5 beside an integer makes a float of it; 2 does not.
  if (!isFloat(dtype) && numbers.some((number) => !Number.isInteger(number))) dtype = floatFor(dtype);
  dtype = accepted(op, definition.accepts, dtype, variables);
  return applyOp(op, [
    ...condition,
    ...rest.map((operand) => (typeof operand === 'number' ? constant(operand, dtype) : cast(operand, dtype))),
  ]);
}

function promoteOptional(sofar: DType | undefined, dtype: DType): DType {
  return sofar === undefined ? dtype : promote(sofar, dtype);
}

function asCondition(op: Op, operand: Operand): Variable {
  const variable = typeof operand === 'number' ? constant(operand !== 0) : operand;
  if (variable.dtype === 'bool') return variable;
  throw new TensorTypeError(
    `${op.name}: the condition ${describe(variable)} is not a bool; compare it, as in neq(x, 0)`,
  );
}

function accepted(
  op: Op,
  accepts: ElementwiseDefinition['accepts'],
  dtype: DType,
  variables: readonly Variable[],
): DType {
  switch (accepts) {
    case 'any':
      return dtype;
    case 'float':
      return isFloat(dtype) ? dtype : floatFor(dtype);
    case 'number':
      if (dtype !== 'bool') return dtype;
      throw new TensorTypeError(
        `${op.name}: ${variables.map(describe).join(' and ')} cannot be computed with as bool; cast to a number first, or use and, or, not`,
      );
    case 'bool':
      if (dtype === 'bool') return dtype;
      throw new TensorTypeError(
        `${op.name}: ${variables.map(describe).join(' and ')} must be bool; compare them first`,
      );
    default:
      return assertNever(accepts, 'kind of operands');
  }
}

function runtimeShape(node: Apply, inputs: readonly DenseArray[]): readonly number[] {
  const shape = broadcastDims(inputs.map((input) => input.shape));
  const fits = node.inputs.map((input, k) => {
    const missing = (shape?.length ?? 0) - input.ndim;
    return input.shape.every((dim, axis) => dim === 1 || (inputs[k]?.shape[axis] ?? 0) === shape?.[axis + missing]);
  });
  if (shape === undefined || fits.includes(false)) {
    const sizes = node.inputs.map((input, k) => `${describe(input)} of size ${formatShape(inputs[k]?.shape ?? [])}`);
    throw new TensorTypeError(
      `${node.op.name}: ${sizes.join(' and ')} do not broadcast; a size of 1 broadcasts only where the graph says that it is 1`,
    );
  }
  return shape.map(Number);
}

function lower(definition: ElementwiseDefinition, graph: OnnxGraph, inputs: readonly string[], node: Apply): string {
  const operandDtype = node.inputs.at(-1)?.dtype ?? 'float32';
  const computeDtype = onnxComputeDtype(operandDtype, definition);
  const first = definition.firstIsCondition === true ? 1 : 0;
  const operands = inputs.map((input, at) =>
    at < first || computeDtype === operandDtype ? input : graph.cast(input, computeDtype),
  );
  const result =
    typeof definition.onnx === 'string'
      ? graph.add(definition.onnx, operands)
      : definition.onnx(graph, operands, computeDtype);
  const resultDtype = definition.result ?? computeDtype;
  return resultDtype === node.output.dtype ? result : graph.cast(result, node.output.dtype);
}

/** ONNX Runtime has kernels for few integer types: the narrow ones are computed in a wider one and cast back, which wraps. */
function onnxComputeDtype(dtype: DType, definition: ElementwiseDefinition): DType {
  switch (dtype) {
    case 'int8':
    case 'int16':
    case 'uint8':
    case 'uint16':
      return 'int32';
    case 'uint32':
      return 'int64';
    case 'bool':
      return definition.accepts === 'bool' ? 'bool' : 'int32';
    default:
      return dtype;
  }
}
