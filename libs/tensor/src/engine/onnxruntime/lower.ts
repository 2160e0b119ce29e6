import { ndarray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import { describe, type Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import { OnnxModel } from '../../onnx/onnx-model.js';
import { lowerings } from './lowerings/index.js';
import { loweringOf } from './lowerings/lowering.js';

/** A graph as ONNX, and the names under which its inputs and outputs go in and out, in the order given. */
export interface LoweredGraph {
  readonly model: Uint8Array;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** Writes the graph from `inputs` to `outputs` as one ONNX model. */
export function lowerToOnnx(name: string, inputs: readonly Variable[], outputs: readonly Variable[]): LoweredGraph {
  const model = new OnnxModel(name);
  const inputNames = inputs.map((input, position) => model.input(`input${position}`, input.type));
  const names = new Map<Variable, string>(inputs.map((input, position) => [input, at(inputNames, position)]));

  const nameOf = (variable: Variable): string => {
    const known = names.get(variable);
    if (known !== undefined) return known;
    if (!(variable instanceof Constant)) throw new Error(`${name}: ${describe(variable)} has no value to lower`);
    const initializer = model.initializer(variable.value);
    names.set(variable, initializer);
    return initializer;
  };

  for (const node of toposort(outputs, { blockers: inputs })) {
    const { op } = node;
    model.scope(`${op.name}(${node.inputs.join(',')})`);
    const results =
      emptyOutputs(model, node) ??
      loweringOf(lowerings, op)(model, node.inputs.map(nameOf), { node, parameters: op.parameters });
    if (results.length !== node.outputs.length) {
      throw new Error(`${op.name}: lowered to ${results.length} outputs, not ${node.outputs.length}`);
    }
    for (const [position, output] of node.outputs.entries()) {
      if (!names.has(output)) names.set(output, at(results, position));
    }
  }
  model.scope('outputs');
  const outputNames = outputs.map((output) => model.output(nameOf(output), output.type));
  return { model: model.encode(), inputNames, outputNames };
}

/** What is known to be empty needs no nodes, and ONNX Runtime's optimizer makes a 1 of some sizes of 0. */
function emptyOutputs(model: OnnxModel, node: Apply): readonly string[] | undefined {
  if (node.outputs.some(({ shape }) => shape.includes(null) || !shape.includes(0))) return undefined;
  return node.outputs.map(({ dtype, shape }) => model.initializer(ndarray(dtype, shape.map(Number))));
}
