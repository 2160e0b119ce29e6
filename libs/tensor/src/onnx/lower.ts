import { Constant } from '../graph/constant.js';
import { describe, type Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { OnnxModel } from './onnx-model.js';

/** A graph as ONNX, and the names under which its inputs and outputs go in and out, in the order given. */
export interface LoweredGraph {
  readonly model: Uint8Array;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** Writes the graph from `inputs` to `outputs` as one ONNX model. */
export function lowerToOnnx(name: string, inputs: readonly Variable[], outputs: readonly Variable[]): LoweredGraph {
  const model = new OnnxModel(name);
  const names = new Map<Variable, string>();
  const inputNames = inputs.map((input, at) => model.input(`input${at}`, input.type));
  for (const [at, input] of inputs.entries()) names.set(input, inputNames[at] ?? '');

  const nameOf = (variable: Variable): string => {
    const known = names.get(variable);
    if (known !== undefined) return known;
    if (!(variable instanceof Constant)) throw new Error(`${name}: ${describe(variable)} has no value to lower`);
    const initializer = model.initializer(variable.value);
    names.set(variable, initializer);
    return initializer;
  };

  for (const node of toposort(outputs, { blockers: inputs })) {
    model.scope(`${node.op.name}(${node.inputs.join(',')})`);
    const results = node.op.onnx(model, node.inputs.map(nameOf), node);
    for (const [at, output] of node.outputs.entries()) {
      const result = results[at];
      if (result === undefined)
        throw new Error(`${node.op.name}: lowered to ${results.length} outputs, not ${node.outputs.length}`);
      if (!names.has(output)) names.set(output, result);
    }
  }
  model.scope('outputs');
  const outputNames = outputs.map((output) => model.output(nameOf(output), output.type));
  return { model: model.encode(), inputNames, outputNames };
}
