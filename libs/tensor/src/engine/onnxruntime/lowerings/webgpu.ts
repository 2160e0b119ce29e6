import { sizeOf, type DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import { isAllKnown, isKnown } from '../../../graph/tensor-type.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import { indexing } from './indexing.js';
import { number } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';
import { reductions } from './reductions.js';
import { lastAxis, softmax } from './softmax.js';

/** Ops that ONNX Runtime's kernels for WebGPU get right, or compute without a copy to the processor and back, in another form only. */
export const onWebgpu = {
  dimension: (graph, inputs, { parameters: { axis } }) => [sizeAlong(graph, at(inputs, 0), axis)],
  // There is no LogSoftmax.
  logSoftmax(graph, inputs, application) {
    if (application.node.output.dtype !== 'float32') return softmax.logSoftmax(graph, inputs, application);
    const { shifted, total } = exponentials(graph, at(inputs, 0), application.node.output.ndim);
    return [graph.add('Sub', [shifted, graph.add('Log', [total])])];
  },
  // The number of elements in the same form as that of `dimension`, so that both are copied once.
  mean(graph, inputs, application) {
    const { node, parameters } = application;
    const [x, { dtype, shape }] = [at(inputs, 0), at(node.inputs, 0)];
    if (dtype !== 'float32' || parameters.axis.length === 0) return reductions.mean(graph, inputs, application);
    const sizes = parameters.axis.map((axis) => at(shape, axis));
    const count = (): string =>
      parameters.axis
        .map((axis) => sizeAlong(graph, x, axis))
        .reduce((product, size) => graph.add('Mul', [product, size]));
    const divisor = isAllKnown(sizes) ? graph.scalar(sizeOf(sizes), dtype) : graph.cast(count(), dtype);
    return [graph.add('Div', [at(reductions.sum(graph, inputs, application), 0), divisor])];
  },
  // There is no OneHot.
  oneHot(graph, inputs, application) {
    const [labels, depth] = [at(inputs, 0), at(inputs, 1)];
    const { dtype } = application.parameters;
    if (dtype !== 'float32') return indexing.oneHot(graph, inputs, application);
    const bounds = [graph.scalar(0, 'int32'), graph.cast(depth, 'int32'), graph.scalar(1, 'int32')];
    const hot = graph.add('Equal', [placesOf(graph, labels, depth), graph.add('Range', bounds)]);
    return [graph.add('Where', [hot, graph.scalar(1, dtype), graph.scalar(0, dtype)])];
  },
  // With the places of `oneHot`, which is its gradient, so that both are copied once.
  pick(graph, inputs, application) {
    const [x, labels] = [at(inputs, 0), at(inputs, 1)];
    const { dtype, shape } = at(application.node.inputs, 0);
    if (dtype !== 'float32') return indexing.pick(graph, inputs);
    const width = at(shape, -1);
    const depth = isKnown(width) ? graph.scalar(width, 'int64') : sizeAlong(graph, x, shape.length - 1);
    const picked = graph.add('GatherElements', [x, placesOf(graph, labels, depth)], { axis: { int: -1 } });
    // Reshaped to the rows of x and not just squeezed: GatherElements takes fewer labels than rows without a word.
    const rows = graph.add('Shape', [x], { start: { int: 0 }, end: { int: -1 } });
    return [graph.add('Reshape', [picked, rows], { allowzero: { int: 1 } })];
  },
  // Its Relu makes 0 of NaN.
  rectifier: number((graph, operands, dtype) => {
    const zero = graph.scalar(0, dtype);
    return graph.add('Where', [graph.add('LessOrEqual', [...operands, zero]), zero, ...operands]);
  }),
  // Its Softmax makes 0 of NaN.
  softmax(graph, inputs, { node }) {
    if (node.output.dtype !== 'float32') return softmax.softmax(graph, inputs);
    const { power, total } = exponentials(graph, at(inputs, 0), node.output.ndim);
    return [graph.add('Div', [power, total])];
  },
} satisfies Partial<OnnxLowerings>;

/**
 * The size of an axis, an int64 scalar. Not by Squeeze: on the processor that shares the memory of what Shape puts out, which ONNX
 * Runtime gives to other values of the device while the size is still in use.
 */
function sizeAlong(graph: OnnxGraph, x: string, axis: number): string {
  const size = graph.add('Shape', [x], { start: { int: axis }, end: { int: axis + 1 } });
  return graph.add('Gather', [size, graph.scalar(0, 'int64')]);
}

/** Along the last axis: x less its largest, the exponential of that, and its sum. */
function exponentials(
  graph: OnnxGraph,
  x: string,
  ndim: number,
): { readonly shifted: string; readonly power: string; readonly total: string } {
  const [last, keepdims] = [lastAxis(graph, ndim), { keepdims: { int: 1 } }];
  const shifted = graph.add('Sub', [x, graph.add('ReduceMax', [x, last], keepdims)]);
  const power = graph.add('Exp', [shifted]);
  return { shifted, power, total: graph.add('ReduceSum', [power, last], keepdims) };
}

/** Places that int64 labels name among `depth`, as int32 with an axis of 1 at the end: -1 or `depth` where a label is out of range. */
function placesOf(graph: OnnxGraph, labels: string, depth: string): string {
  const [zero, least] = [graph.scalar(0, 'int64'), graph.add('Sub', [graph.scalar(-1, 'int64'), depth])];
  const bounded = graph.add('Min', [graph.add('Max', [labels, least]), depth]);
  const fromEnd = graph.add('Less', [bounded, zero]);
  const places = graph.add('Where', [fromEnd, graph.add('Add', [bounded, depth]), bounded]);
  return graph.add('Unsqueeze', [graph.cast(places, 'int32'), graph.int64Vector([-1])]);
}

/**
 * Whether WebGPU has to leave an application to the processor: ONNX Runtime 1.30 takes it for WebGPU, and its kernel fails there, gives
 * wrong values without a word, or has them copied there and back for nothing.
 */
export function isLeftToProcessor({ op, inputs, outputs }: Apply): boolean {
  const fault = FAULTS.get(op.name);
  return fault?.({ op, dtypes: [...inputs, ...outputs].map(({ dtype }) => dtype) }) === true;
}

/** Whether an application has nothing that WebGPU computes with. */
export function isOfProcessor({ op, inputs, outputs }: Apply): boolean {
  return op.inner === undefined && ![...inputs, ...outputs].some(({ dtype }) => OF_DEVICE.has(dtype));
}

const OF_DEVICE: ReadonlySet<DType> = new Set(['float32', 'int32', 'bool']);

interface Application {
  readonly op: Apply['op'];
  /** Of inputs and outputs. */
  readonly dtypes: readonly DType[];
}

const always = (): boolean => true;

/** "raw_hash_map<>::at", of what it fills with these. */
const ofBytes = ({ dtypes }: Application): boolean => dtypes.some((dtype) => BYTES.has(dtype));

/** Labels and counts. Of float64 there is no kernel for computing, and names of nodes left to the processor are limited to 8192 bytes. */
const ofIntegers = ({ dtypes }: Application): boolean =>
  dtypes.every((dtype) => !OF_DEVICE.has(dtype) && dtype !== 'float64');

const BYTES: ReadonlySet<DType> = new Set(['uint8', 'int8', 'bool']);

const FAULTS: ReadonlyMap<string, (application: Application) => boolean> = new Map([
  // Takes denormals for 0, and there is no IsNaN: x goes to the processor anyway.
  ['argmax', always],
  // Sorts NaN and infinities wrongly.
  ['argsort', always],
  ['sort', always],
  ['topK', always],
  ['broadcastTo', ofBytes],
  ['fill', ofBytes],
  ['cast', ofIntegers],
  ['reshape', ofIntegers],
  // Of large numbers, for which graphics hardware has no sine.
  ['cos', always],
  ['sin', always],
  // Overflows from 89 on.
  ['logsumexp', always],
  // "The Indices output is not supported yet": what looks for places in finite images too.
  ['maxPool2dPlaces', always],
  // "raw_hash_map<>::at", and 0 for NaN.
  ['pow', always],
  // Negative steps begin at the wrong element.
  ['slice', ({ op }) => Number(op.parameters['step'] ?? 1) < 0],
]);
