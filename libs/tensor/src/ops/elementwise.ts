import { assertNever, type DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { broadcastStrides, dense, offsets, wrapInteger, type DenseArray } from '../arrays/dense-array.js';
import { applyOp, type Apply } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { floatX } from '../graph/float-x.js';
import { DISCONNECTED, Undifferentiable, type InputGradient } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient, type NoParameters, type OpConstructor } from '../graph/op.js';
import { broadcastDims, floatFor, formatShape, isFloat, promote, TensorTypeError } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { unbroadcast } from './unbroadcast.js';

/** A variable, or a number that takes the dtype of the variables beside it. */
export type Operand = Variable | number;

/** An elementwise function of variables, and the constructor of its op. */
export interface Elementwise<N extends string, Operands extends readonly Operand[]> {
  (...operands: Operands): Variable;
  readonly op: OpConstructor<N, NoParameters>;
}

/** What an elementwise op has of its own; operands broadcast as in NumPy, over static 1s only. */
export type ElementwiseDefinition<Inputs extends readonly unknown[]> = {
  /** `any`: bools too; `number`: ints and floats; `float`: ints and bools are cast to floats; `integer`, `bool`: these only. */
  readonly accepts: 'any' | 'number' | 'float' | 'integer' | 'bool';
  /** One element, in float64. */
  compute(...operands: { [K in keyof Inputs]: number }): number;
} & (
  | {
      /** The result is a bool, through which no gradient flows; else it has the dtype of the last operand. */
      readonly result: 'bool';
      readonly gradients?: never;
    }
  | {
      readonly result?: never;
      /** One for each input, before broadcast axes are summed away. */
      gradients(
        gradient: Variable,
        inputs: { readonly [K in keyof Inputs]: Variable },
        output: Variable,
      ): readonly InputGradient[];
    }
);

/** A definition once it no longer matters how many operands there are. */
type AnyDefinition = ElementwiseDefinition<readonly unknown[]>;

/** Declares an elementwise op of one variable. */
export function unary<const N extends string>(
  name: N,
  definition: ElementwiseDefinition<[x: Variable]>,
): Elementwise<N, [x: Variable]> {
  const op = elementwiseOp(name, definition);
  const apply = (x: Variable): Variable => {
    checkArguments(name, ['x', x, 'operand']);
    return applyOp(op(), operandsOf(name, definition.accepts, [x]));
  };
  return Object.assign(apply, { op });
}

/** Declares an elementwise op of two operands. */
export function binary<const N extends string>(
  name: N,
  definition: ElementwiseDefinition<[a: Operand, b: Operand]>,
): Elementwise<N, [a: Operand, b: Operand]> {
  const op = elementwiseOp(name, definition);
  const apply = (a: Operand, b: Operand): Variable => {
    checkArguments(name, ['a', a, 'operand'], ['b', b, 'operand']);
    return applyOp(op(), operandsOf(name, definition.accepts, [a, b]));
  };
  return Object.assign(apply, { op });
}

/** Declares an elementwise op of two operands after a bool that chooses: only the two are promoted to one dtype. */
export function choice<const N extends string>(
  name: N,
  definition: ElementwiseDefinition<[condition: Variable, a: Operand, b: Operand]>,
): Elementwise<N, [condition: Variable, a: Operand, b: Operand]> {
  const op = elementwiseOp(name, definition);
  const apply = (condition: Variable, a: Operand, b: Operand): Variable => {
    checkArguments(name, ['condition', condition, 'variable'], ['a', a, 'operand'], ['b', b, 'operand']);
    if (condition.dtype !== 'bool') {
      throw new TensorTypeError(
        `${name}: the condition ${describe(condition)} is not a bool; compare it, as in neq(x, 0)`,
      );
    }
    return applyOp(op(), [condition, ...operandsOf(name, definition.accepts, [a, b])]);
  };
  return Object.assign(apply, { op });
}

function elementwiseOp<N extends string>(name: N, definition: AnyDefinition): OpConstructor<N, NoParameters> {
  return defineOp({
    name,
    inferTypes(inputs) {
      const shape = broadcastDims(inputs.map((input) => input.shape));
      if (shape === undefined) {
        throw new TensorTypeError(
          `${name}: ${inputs.map(describe).join(' and ')} do not broadcast; sizes must be equal or 1, counted from the last axis`,
        );
      }
      return [{ dtype: definition.result ?? at(inputs, -1).dtype, shape }];
    },
    grad(node, outputGradients) {
      if (definition.gradients === undefined) return node.inputs.map(() => DISCONNECTED);
      const given = definition.gradients(onlyGradient(node, outputGradients), node.inputs, node.output);
      return given.map((gradient, position) =>
        gradient === DISCONNECTED || gradient instanceof Undifferentiable
          ? gradient
          : unbroadcast(gradient, at(node.inputs, position)),
      );
    },
    run(inputs, node) {
      const shape = runtimeShape(node, inputs);
      const reads = inputs.map((input) => offsets(shape, broadcastStrides(input.shape, shape)));
      const operands = inputs.map(() => 0);
      const data = new Float64Array(at(reads, 0).length);
      for (let position = 0; position < data.length; position += 1) {
        for (let k = 0; k < operands.length; k += 1) operands[k] = at(at(inputs, k).data, at(at(reads, k), position));
        data[position] = definition.compute(...operands);
      }
      const { dtype } = node.output;
      return [dense(dtype, shape, wrapInteger(dtype, data))];
    },
  });
}

/** The operands as variables: numbers become constants, and all are cast to one dtype that the op accepts. */
function operandsOf(name: string, accepts: AnyDefinition['accepts'], operands: readonly Operand[]): Variable[] {
  const variables = operands.filter((operand) => operand instanceof Variable);
  const numbers = operands.filter((operand) => typeof operand === 'number');
  const [first, ...rest] = variables.map((variable) => variable.dtype);
  let dtype = first === undefined ? floatX() : rest.reduce(promote, first);
  // 0.5 beside an integer makes a float of it; 2 does not.
  if (!isFloat(dtype) && numbers.some((number) => !Number.isInteger(number))) dtype = floatFor(dtype);
  const common = accepted(name, accepts, dtype, variables);
  return operands.map((operand) => (typeof operand === 'number' ? constant(operand, common) : cast(operand, common)));
}

function accepted(
  name: string,
  accepts: AnyDefinition['accepts'],
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
        `${name}: ${variables.map(describe).join(' and ')} cannot be computed with as bool; cast to a number first, or use and, or, not`,
      );
    case 'integer':
      if (dtype !== 'bool' && !isFloat(dtype)) return dtype;
      throw new TensorTypeError(
        `${name}: ${variables.map(describe).join(' and ')} cannot be computed with as ${dtype}; cast to an integer dtype first, or use and, or, xor, not of bools`,
      );
    case 'bool':
      if (dtype === 'bool') return dtype;
      throw new TensorTypeError(`${name}: ${variables.map(describe).join(' and ')} must be bool; compare them first`);
    default:
      return assertNever(accepts, 'kind of operands');
  }
}

function runtimeShape(node: Apply, inputs: readonly DenseArray[]): readonly number[] {
  const shape = broadcastDims(inputs.map((input) => input.shape));
  if (shape !== undefined) {
    const fits = node.inputs.every((input, k) => {
      const missing = shape.length - input.ndim;
      return input.shape.every((dim, axis) => dim === 1 || at(inputs, k).shape[axis] === shape[axis + missing]);
    });
    if (fits) return shape.map(Number);
  }
  const sizes = node.inputs.map((input, k) => `${describe(input)} of size ${formatShape(at(inputs, k).shape)}`);
  throw new TensorTypeError(
    `${node.op.name}: ${sizes.join(' and ')} do not broadcast; a size of 1 broadcasts only where the graph says that it is 1`,
  );
}
