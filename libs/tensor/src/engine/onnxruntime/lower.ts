import { ndarray } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import { isAllKnown } from '../../graph/tensor-type.js';
import { describe, type Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { OnnxGraph } from '../../onnx/onnx-graph.js';
import { OnnxModel } from '../../onnx/onnx-model.js';
import { lowerings } from './lowerings/index.js';
import { loweringOf } from './lowerings/lowering.js';
import { isLeftToProcessor, isOfProcessor, onWebgpu } from './lowerings/webgpu.js';

/** A graph as ONNX, and the names under which its inputs and outputs go in and out, in the order given. */
export interface LoweredGraph {
  readonly model: Uint8Array;
  /** How many nodes it has, those of graphs inside of nodes included. */
  readonly nodes: number;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** What the labels are of that its nodes' names begin with. */
  readonly labels: NodeLabels;
  /** Names of the nodes that the provider has to leave to the processor. */
  readonly forProcessor: readonly string[];
}

/** What an application is called. */
interface LabelledNode {
  readonly op: string;
  /** The part of the model that it is of. */
  readonly part: string | undefined;
}

/** Applications, by the label of their nodes. */
export type NodeLabels = ReadonlyMap<string, LabelledNode>;

/** Writes the graph from `inputs` to `outputs` as one ONNX model for a provider. */
export function lowerToOnnx(
  name: string,
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  provider = 'cpu',
): LoweredGraph {
  const model = new OnnxModel(name);
  const inputNames = inputs.map((input, position) => model.input(`input${position}`, input.type));
  const names = new Map<Variable, string>(inputs.map((input, position) => [input, at(inputNames, position)]));
  if (provider === 'webgpu') handOverScalars(model, outputs, names);
  const labels = new Map<string, LabelledNode>();
  const results = lowerInto(model, outputs, names, provider, labels);
  model.scope('outputs');
  const outputNames = outputs.map((output, position) => model.output(at(results, position), output.type));
  return {
    model: model.encode(),
    nodes: model.nodeCount,
    inputNames,
    outputNames,
    labels,
    forProcessor: model.forProcessor,
  };
}

const WEBGPU_LOWERINGS = { ...lowerings, ...onWebgpu };

/**
 * Has the scalars that WebGPU takes of the processor, such as those of step rules, go there in one copy, and adds them to `names`: a copy of
 * one number takes as long as that of thousands.
 */
function handOverScalars(model: OnnxModel, outputs: readonly Variable[], names: Map<Variable, string>): void {
  const scalars = scalarsForDevice(outputs, names);
  if (scalars.length < 2) return;
  const results = lowerInto(model, scalars, names, 'webgpu');
  const first = model.int64Vector([0]);
  model.scope('scalars');
  model.leaveToProcessor();
  const rows = results.map((result) => model.add('Unsqueeze', [result, first]));
  const vector = model.add('Concat', rows, { axis: { int: 0 } });
  model.scope('scalars on the device');
  for (const [position, scalar] of scalars.entries()) {
    names.set(scalar, model.add('Gather', [vector, model.scalar(position, 'int64')]));
  }
}

/** The scalars of float32 that are cast of what the processor alone computes from the inputs, and that the device computes with. */
function scalarsForDevice(outputs: readonly Variable[], given: ReadonlyMap<Variable, string>): Variable[] {
  const nodes = toposort(outputs, { blockers: given.keys() });
  const ofDevice = new Set(nodes.flatMap((node) => (isLeftToProcessor(node) ? [] : node.inputs)));
  const onProcessor = new Set<Variable>([...given.keys()].filter(({ dtype }) => dtype !== 'float32'));
  for (const node of nodes) {
    const isComputed = node.inputs.every((input) => input instanceof Constant || onProcessor.has(input));
    if (isComputed && isOfProcessor(node)) for (const output of node.outputs) onProcessor.add(output);
  }
  return nodes.flatMap(({ op, inputs, outputs: [cast] }) => {
    const isHandedOver = op.name === 'cast' && inputs.every((input) => onProcessor.has(input));
    return isHandedOver && cast?.dtype === 'float32' && cast.ndim === 0 && ofDevice.has(cast) ? [cast] : [];
  });
}

/** Writes what computes `outputs` into `graph`, given the names of what is there, and returns their names. */
function lowerInto(
  graph: OnnxGraph,
  outputs: readonly Variable[],
  given: ReadonlyMap<Variable, string>,
  provider: string,
  labels = new Map<string, LabelledNode>(),
): string[] {
  const names = new Map(given);
  const table = provider === 'webgpu' ? WEBGPU_LOWERINGS : lowerings;
  const nameOf = (variable: Variable): string => {
    const known = names.get(variable);
    if (known !== undefined) return known;
    if (!(variable instanceof Constant)) throw new Error(`${describe(variable)} has no value to lower`);
    const initializer = graph.initializer(variable.value);
    names.set(variable, initializer);
    return initializer;
  };

  for (const node of toposort(outputs, { blockers: given.keys() })) {
    const { op } = node;
    graph.scope(labelOf(node, labels));
    if (provider === 'webgpu' && isLeftToProcessor(node)) graph.leaveToProcessor();
    const results =
      emptyOutputs(graph, node) ??
      loweringOf(table, op)(graph, node.inputs.map(nameOf), {
        node,
        parameters: op.parameters,
        lowerInside: (inside, wanted, known) => lowerInto(inside, wanted, known, provider, labels),
      });
    if (results.length !== node.outputs.length) {
      throw new Error(`${op.name}: lowered to ${results.length} outputs, not ${node.outputs.length}`);
    }
    for (const [position, output] of node.outputs.entries()) {
      if (!names.has(output)) names.set(output, at(results, position));
    }
  }
  return outputs.map(nameOf);
}

/** How an application prints, and of which part of a model it is: applications of two parts print alike. */
function labelOf(node: Apply, labels: Map<string, LabelledNode>): string {
  const [op, part] = [node.toString(), node.origin.part?.()];
  const label = part === undefined ? op : `${op} of ${part}`;
  labels.set(label, { op, part });
  return label;
}

/** What is known to be empty needs no nodes, and ONNX Runtime's optimizer makes a 1 of some sizes of 0. */
function emptyOutputs(graph: OnnxGraph, node: Apply): readonly string[] | undefined {
  const isEmpty = node.outputs.every(({ shape }) => isAllKnown(shape) && shape.includes(0));
  if (!isEmpty) return undefined;
  return node.outputs.map(({ dtype, shape }) => graph.initializer(ndarray(dtype, shape.map(Number))));
}
