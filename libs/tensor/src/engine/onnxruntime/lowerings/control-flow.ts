import { ndarray } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import { Constant } from '../../../graph/constant.js';
import type { InnerGraph } from '../../../graph/op.js';
import { isAllKnown, isKnown, type TensorType } from '../../../graph/tensor-type.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxAttributes, OnnxGraph, OnnxSubgraph, OnnxValue } from '../../../onnx/onnx-graph.js';
import { branchesOf } from '../../../ops/if-else.js';
import { scanInputs, type ScanParameters } from '../../../ops/scan-inputs.js';
import type { Lowered, OnnxLowerings } from './lowering.js';

export const controlFlow = {
  ifElse(graph, inputs, application) {
    const { inputs: innerInputs, outputs } = innerOf(application);
    const names = new Map(innerInputs.map((input, position) => [input, at(inputs, position + 1)]));
    const branch = (ends: readonly Variable[]): OnnxSubgraph =>
      graph.subgraph([], (body) => named(application.lowerInside(body, ends, names), ends));
    const { ifTrue, ifFalse } = branchesOf(outputs);
    return graph.addMany('If', [at(inputs, 0)], ifTrue.length, {
      then_branch: { graph: branch(ifTrue) },
      else_branch: { graph: branch(ifFalse) },
    });
  },
  scan(graph, inputs, application) {
    const steps = knownSteps(application);
    if (steps !== null)
      return steps === 0 ? withoutSteps(graph, inputs, application) : withSteps(graph, inputs, application);
    // ONNX Runtime refuses a Scan over sequences without rows.
    const { outputs } = application.node;
    const branch = (write: typeof withSteps): OnnxSubgraph =>
      graph.subgraph([], (body) => named(write(body, inputs, application), outputs));
    return graph.addMany('If', [graph.add('Equal', [at(inputs, 0), graph.scalar(0, 'int64')])], outputs.length, {
      then_branch: { graph: branch(withoutSteps) },
      else_branch: { graph: branch(withSteps) },
    });
  },
} satisfies Partial<OnnxLowerings>;

type LoweredScan = Lowered<ScanParameters>;

function knownSteps({ node, parameters }: LoweredScan): number | null {
  const [steps, ...rest] = node.inputs;
  if (steps instanceof Constant) return steps.toNumber();
  const rows = scanInputs(rest, parameters).sequences.map(({ shape }) => at(shape, 0));
  return rows.find(isKnown) ?? null;
}

function innerOf({ node }: { readonly node: Apply }): InnerGraph {
  const { inner } = node.op;
  if (inner === undefined) throw new Error(`${node.op.name}: the op has no inner graph to lower`);
  return inner;
}

function named(names: readonly string[], variables: readonly Variable[]): OnnxValue[] {
  return variables.map(({ type }, position) => ({ name: at(names, position), type }));
}

function withSteps(graph: OnnxGraph, inputs: readonly string[], application: LoweredScan): readonly string[] {
  const { parameters, lowerInside } = application;
  const { inputs: innerInputs, outputs } = innerOf(application);
  const [outside, inside] = [scanInputs(inputs.slice(1), parameters), scanInputs(innerInputs, parameters)];
  // Scan takes its number of steps from sequences: without any, from one that nothing reads.
  const isUncounted = outside.sequences.length === 0;
  const rowTypes: TensorType[] = isUncounted
    ? [{ dtype: 'float32', shape: [] }]
    : inside.sequences.map(({ type }) => type);
  const sequences = isUncounted
    ? [graph.add('ConstantOfShape', [graph.add('Unsqueeze', [at(inputs, 0), graph.int64Vector([0])])])]
    : outside.sequences;
  const body = graph.subgraph([...inside.states.map(({ type }) => type), ...rowTypes], (step, names) => {
    const given = new Map(inside.constants.map((input, position) => [input, at(outside.constants, position)]));
    for (const [position, input] of [...inside.states, ...inside.sequences].entries())
      given.set(input, at(names, position));
    return named(lowerInside(step, outputs, given), outputs);
  });
  const attributes: OnnxAttributes = {
    body: { graph: body },
    num_scan_inputs: { int: sequences.length },
    scan_input_directions: { ints: isUncounted ? [0] : parameters.backwardInputs.map(Number) },
    scan_output_directions: { ints: parameters.backwardOutputs.map(Number) },
  };
  return graph.addMany('Scan', [...outside.states, ...sequences], outputs.length, attributes);
}

/** The outputs of a scan that makes no step: the first states, and no rows of the sizes that a row would have. */
function withoutSteps(graph: OnnxGraph, inputs: readonly string[], application: LoweredScan): readonly string[] {
  const { node, parameters, lowerInside } = application;
  const { inputs: innerInputs, outputs } = innerOf(application);
  const [outside, inside] = [scanInputs(inputs.slice(1), parameters), scanInputs(innerInputs, parameters)];
  const states = outputs.slice(0, parameters.states);
  const given = new Map(inside.constants.map((input, position) => [input, at(outside.constants, position)]));
  for (const [position, input] of inside.states.entries()) given.set(input, at(outside.states, position));
  for (const [position, { dtype }] of inside.sequences.entries()) {
    const sizes = graph.add('Shape', [at(outside.sequences, position)], { start: { int: 1 } });
    const zeros = graph.add('ConstantOfShape', [sizes], { value: { tensor: ndarray(dtype, [1]) } });
    given.set(at(inside.sequences, position), zeros);
  }
  const [zero, one] = [graph.int64Vector([0]), graph.int64Vector([1])];
  const noRows = (row: string): string => {
    const rows = graph.add('Unsqueeze', [row, zero]);
    return graph.add('Slice', [rows, one, one, zero]);
  };
  const collected = node.outputs.slice(parameters.states).map(({ type: { dtype, shape } }, position) => {
    const output = at(outputs, parameters.states + position);
    const sizes = shape.slice(1);
    if (isAllKnown(sizes)) return graph.initializer(ndarray(dtype, [0, ...sizes]));
    const state = states.indexOf(output);
    // What a step over zeros would give tells the sizes that the types do not.
    return noRows(state >= 0 ? at(outside.states, state) : at(lowerInside(graph, [output], given), 0));
  });
  return [...outside.states, ...collected];
}
