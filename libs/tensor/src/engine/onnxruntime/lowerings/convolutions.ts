import { at } from '../../../arrays/at.js';
import { Constant } from '../../../graph/constant.js';
import { isAllKnown, isKnown, type Dim } from '../../../graph/tensor-type.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxAttributes, OnnxGraph, OnnxSubgraph } from '../../../onnx/onnx-graph.js';
import type { ConvolutionParameters } from '../../../ops/convolution.js';
import { spanOf, windowCount, windowsOfAxis } from '../../../ops/windows.js';
import { filtersOfGathered } from './gathered-windows.js';
import { exceptFloat64, type OnnxLowerings } from './lowering.js';
import { atLeast } from './pools.js';
import { sumsOver } from './sums-of-nothing.js';

export const convolutions = {
  conv2d: exceptFloat64((graph, inputs, { node, parameters }) => [
    convolved(graph, [at(inputs, 0), at(inputs, 1)], at(node.inputs, 1).shape, parameters),
  ]),
  conv2dGradFilters: exceptFloat64((graph, inputs, { node, parameters }) => {
    const gathered = filtersOfGathered(graph, [at(inputs, 0), at(inputs, 1)], node, parameters);
    if (gathered !== undefined) return [gathered];
    const [image, gradient] = [at(node.inputs, 0), at(node.inputs, 1)];
    // What was summed over is the batch now, which convolutions sum over as channels; the gradient is slid over the image.
    const { pads, strides, dilation, groups } = parameters;
    const swap = { perm: { ints: [1, 0, 2, 3] } };
    const asFilters = graph.add('Transpose', [at(inputs, 1)], swap);
    const asImage =
      groups === 1 ? graph.add('Transpose', [at(inputs, 0)], swap) : batchWithinGroups(graph, at(inputs, 0), groups);
    const windows = { pads, strides: dilation, dilation: strides, groups };
    const slid = convolved(graph, [asImage, asFilters], gradient.shape, windows);
    const reached = ([0, 1] as const).map((axis) =>
      windowCount(at(image.shape, axis + 2), at(gradient.shape, axis + 2), windowsOfAxis(windows, axis)),
    );
    const isExact = reached.every((size, axis) => isKnown(size) && size === node.output.shape[axis + 2]);
    return [graph.add('Transpose', [isExact ? slid : firstOf(graph, slid, inputs.slice(2))], swap)];
  }),
  conv2dGradInputs: exceptFloat64((graph, given, { node, parameters }) => {
    const inputs = given.with(0, atLeast(graph, at(given, 0), at(node.inputs, 0), [1, 1]));
    const transposed = (how: OnnxAttributes): string =>
      sumsOver(graph, graph.add('ConvTranspose', inputs.slice(0, 2), how), at(node.inputs, 0), at(inputs, 0), 1);
    const extra = outputPadding(node.inputs, parameters);
    const attributes = attributesOf(parameters);
    if (extra !== undefined) return [transposed({ ...attributes, output_padding: { ints: extra } })];
    const [top, left] = parameters.pads;
    const whole = transposed({ ...attributes, pads: { ints: [top, left, 0, 0] } });
    return [resizeEnd(graph, whole, inputs.slice(2))];
  }),
} satisfies Partial<OnnxLowerings>;

/**
 * A cross-correlation, which is 0 where filters (output channels, channels / groups, rows, columns) have no channels. A Conv of nothing
 * does not end in ONNX Runtime: it gets a channel of zeros more, and filters without rows or columns fail.
 */
function convolved(
  graph: OnnxGraph,
  [image, filters]: readonly [image: string, filters: string],
  shape: readonly Dim[],
  parameters: ConvolutionParameters,
): string {
  const attributes = attributesOf(parameters);
  const usual = (body: OnnxGraph): string => body.add('Conv', [image, filters], attributes);
  if (shape.every((size) => isKnown(size) && size > 0)) return usual(graph);
  const ofZeros = (body: OnnxGraph): string => {
    const more = (x: string, channels: number): string =>
      body.add('Pad', [x, body.int64Vector([0, 0, 0, 0, 0, channels, 0, 0])]);
    const padded = more(filters, 1);
    const sizes = body.add('Max', [body.add('Shape', [padded]), body.int64Vector([0, 0, 1, 1])]);
    const whole = body.add('Reshape', [padded, sizes], { allowzero: { int: 1 } });
    return body.add('Conv', [more(image, parameters.groups), whole], attributes);
  };
  // An If that can be decided when a model is loaded does not end either: the Conv that is left out is folded.
  if (shape.includes(0)) return ofZeros(graph);
  const branch = (build: (body: OnnxGraph) => string): OnnxSubgraph =>
    graph.subgraph([], (body) => [{ name: build(body), type: { dtype: 'float32', shape: [null, null, null, null] } }]);
  const isNothing = graph.add('Equal', [graph.add('Size', [filters]), graph.scalar(0, 'int64')]);
  return graph.add('If', [isNothing], {
    then_branch: { graph: branch(ofZeros) },
    else_branch: { graph: branch(usual) },
  });
}

function attributesOf({ pads, strides, dilation, groups }: ConvolutionParameters): OnnxAttributes {
  return {
    pads: { ints: pads },
    strides: { ints: strides },
    dilations: { ints: dilation },
    group: { int: groups },
  };
}

/** (batch, groups · channels, rows, columns) as (channels, groups · batch, rows, columns). */
function batchWithinGroups(graph: OnnxGraph, image: string, groups: number): string {
  const sizes = (start: number, end: number): string =>
    graph.add('Shape', [image], { start: { int: start }, end: { int: end } });
  const [batch, channels, plane] = [sizes(0, 1), sizes(1, 2), sizes(2, 4)];
  const count = graph.int64Vector([groups]);
  const perGroup = graph.add('Div', [channels, count]);
  const reshape = (x: string, shape: readonly string[]): string =>
    graph.add('Reshape', [x, graph.add('Concat', shape, { axis: { int: 0 } })], { allowzero: { int: 1 } });
  const apart = graph.add('Transpose', [reshape(image, [batch, count, perGroup, plane])], {
    perm: { ints: [2, 1, 0, 3, 4] },
  });
  return reshape(apart, [perGroup, graph.add('Mul', [count, batch]), plane]);
}

/** The first rows and columns of `x`, as many as `sizes`, two scalars, say. */
function firstOf(graph: OnnxGraph, x: string, sizes: readonly string[]): string {
  return graph.add('Slice', [x, graph.int64Vector([0, 0]), vectorOf(graph, sizes), graph.int64Vector([2, 3])]);
}

/** `x` with rows and columns cut off or zeros added at the end, so that there are as many as `sizes`, two scalars, say. */
function resizeEnd(graph: OnnxGraph, x: string, sizes: readonly string[]): string {
  const more = graph.add('Sub', [vectorOf(graph, sizes), graph.add('Shape', [x], { start: { int: 2 } })]);
  return graph.add('Pad', [
    x,
    graph.add('Concat', [graph.int64Vector([0, 0, 0, 0, 0, 0]), more], { axis: { int: 0 } }),
  ]);
}

function vectorOf(graph: OnnxGraph, scalars: readonly string[]): string {
  const zero = graph.int64Vector([0]);
  return graph.add(
    'Concat',
    scalars.map((scalar) => graph.add('Unsqueeze', [scalar, zero])),
    { axis: { int: 0 } },
  );
}

/** The rows and columns of the image at its end that no window reached; undefined where a size is not known. */
function outputPadding(inputs: readonly Variable[], parameters: ConvolutionParameters): number[] | undefined {
  const [gradient, filters] = [at(inputs, 0), at(inputs, 1)];
  const extra = ([0, 1] as const).map((axis): number | null => {
    const { before, after, stride, dilation } = windowsOfAxis(parameters, axis);
    const [image, rows, taps] = [at(inputs, axis + 2), at(gradient.shape, axis + 2), at(filters.shape, axis + 2)];
    if (!(image instanceof Constant) || !isKnown(rows) || !isKnown(taps)) return null;
    return image.toNumber() + before + after - (rows - 1) * stride - spanOf(taps, dilation);
  });
  return isAllKnown(extra) ? [...extra] : undefined;
}
