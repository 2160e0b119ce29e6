import type { Op } from './op.js';
import { Origin } from './origin.js';
import { Variable } from './variable.js';

/** One application of an op: the node between its input variables and its output variables. */
export class Apply {
  readonly op: Op;
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  /** How many applications were made before it in this process. */
  readonly serial: number;
  /** Where in the program it was made, or the one that it stands for. */
  origin: Origin;

  /**
   * Infers the output types; throws TensorTypeError where the inputs do not fit the op.
   *
   * @param origin Of the application that it stands for. Default: this is a new one
   */
  constructor(op: Op, inputs: readonly Variable[], origin = new Origin()) {
    this.origin = origin;
    this.serial = count;
    count += 1;
    this.op = op;
    this.inputs = inputs;
    this.outputs = op.inferTypes(inputs).map((type, index) => new Variable(type, { owner: this, index }));
  }

  /** The first output: the only one of most ops. */
  get output(): Variable {
    return this.outputAt(0);
  }

  /** The output at `index`; throws when the op has fewer. */
  outputAt(index: number): Variable {
    const output = this.outputs[index];
    if (output === undefined) {
      throw new Error(`${this.op.name}: there is no output ${index}; the op has ${this.outputs.length}`);
    }
    return output;
  }

  /** `dot(x,W)` */
  toString(): string {
    return `${this.op.name}(${this.inputs.join(',')})`;
  }
}

let count = 0;

/** How many applications were made in this process: those made from here on have this `serial` or a higher one. */
export function applicationsSoFar(): number {
  return count;
}

/** Applies a single-output op. */
export function applyOp(op: Op, inputs: readonly Variable[]): Variable {
  return new Apply(op, inputs).output;
}

/** The application on other inputs, and with another op where one is given; outputs keep name and tag. Itself where all is as it was. */
export function applyAgain(node: Apply, inputs: readonly Variable[], op: Op = node.op): Apply {
  const same = op === node.op && inputs.length === node.inputs.length;
  if (same && inputs.every((input, at) => input === node.inputs[at])) return node;
  const copy = new Apply(op, inputs, node.origin);
  for (const [at, output] of node.outputs.entries()) copy.outputAt(at).takeOver(output);
  return copy;
}
