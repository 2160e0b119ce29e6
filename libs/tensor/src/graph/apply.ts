import type { Op } from './op.js';
import { Variable } from './variable.js';

/** One application of an op: the node between its input variables and its output variables. */
export class Apply {
  readonly op: Op;
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];

  /** Infers the output types; throws TensorTypeError where the inputs do not fit the op. */
  constructor(op: Op, inputs: readonly Variable[]) {
    this.op = op;
    this.inputs = inputs;
    this.outputs = op.inferTypes(inputs).map((type, index) => new Variable(type, { owner: this, index }));
  }

  /** The first output: the only one of most ops. */
  get output(): Variable {
    const [first] = this.outputs;
    if (first === undefined) throw new Error(`${this.op.name}: the op has no outputs`);
    return first;
  }
}

/** Applies a single-output op. */
export function applyOp(op: Op, inputs: readonly Variable[]): Variable {
  return new Apply(op, inputs).output;
}
