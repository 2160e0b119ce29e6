import { ndarray } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxAttributes, OnnxGraph, OnnxSubgraph } from '../../../onnx/onnx-graph.js';
import type { PoolParameters } from '../../../ops/pool-output-shape.js';
import type { OnnxLowerings } from './lowering.js';
import { isAllKnown, isKnown } from '../../../graph/tensor-type.js';

export const pools = {
  maxPool2d(graph, inputs, { node, parameters }) {
    const image = fillingWindow(graph, at(inputs, 0), node, parameters);
    const x = planesOf(graph, image, node);
    const { dtype } = node.output;
    const attributes = attributesOf(parameters);
    const largest = (body: OnnxGraph): string => body.add('MaxPool', [x], attributes);
    const pooled = whereFinite(graph, x, node, largest, (body) => {
      // WebGPU has no kernel with places.
      body.leaveToProcessor();
      const [isNan] = placesOfNan(body, x, node, attributes);
      // The kernel without places takes -Infinity for the least finite number.
      const exact = at(body.addMany('MaxPool', [x], 2, attributes), 0);
      return body.add('Where', [body.cast(isNan, 'bool'), body.scalar(Number.NaN, dtype), exact]);
    });
    return [inChannels(graph, pooled, image, node)];
  },
  maxPool2dPlaces(graph, inputs, { node, parameters }) {
    const image = fillingWindow(graph, at(inputs, 0), node, parameters);
    const x = planesOf(graph, image, node);
    const attributes = attributesOf(parameters);
    // ONNX counts through all planes.
    const plane = graph.add('ReduceProd', [graph.add('Shape', [x], { start: { int: 2 } })], { keepdims: { int: 0 } });
    const largest = (body: OnnxGraph): string => at(body.addMany('MaxPool', [x], 2, attributes), 1);
    const inPlane = (body: OnnxGraph, places: string): string => body.add('Mod', [places, plane]);
    const divided = dividedPlane(node, parameters);
    const usual = (body: OnnxGraph): string =>
      divided === undefined ? inPlane(body, largest(body)) : placesOfNumbered(body, x, parameters, divided);
    const places = whereFinite(graph, x, node, usual, (body) => {
      const [isNan, place] = placesOfNan(body, x, node, attributes);
      return inPlane(body, body.add('Where', [body.cast(isNan, 'bool'), place, largest(body)]));
    });
    return [inChannels(graph, places, image, node)];
  },
} satisfies Partial<OnnxLowerings>;

function attributesOf({ size, pads, strides, dilation }: PoolParameters): OnnxAttributes {
  return {
    kernel_shape: { ints: size },
    pads: { ints: pads },
    strides: { ints: strides },
    dilations: { ints: dilation },
  };
}

/** Images of a number of channels that only the data tell as images of one each: ONNX Runtime takes no channels for an error, but no images. */
function planesOf(graph: OnnxGraph, image: string, { inputs }: Apply): string {
  if (isKnown(at(at(inputs, 0).shape, 1))) return image;
  const count = graph.add('ReduceProd', [graph.add('Shape', [image], { end: { int: 2 } })]);
  return reshaped(graph, image, [count, graph.int64Vector([1]), graph.add('Shape', [image], { start: { int: 2 } })]);
}

/** What was made of {@link planesOf} `image`, in its channels. */
function inChannels(graph: OnnxGraph, planes: string, image: string, { inputs }: Apply): string {
  if (isKnown(at(at(inputs, 0).shape, 1))) return planes;
  const [outer, inner] = [
    graph.add('Shape', [image], { end: { int: 2 } }),
    graph.add('Shape', [planes], { start: { int: 2 } }),
  ];
  return reshaped(graph, planes, [outer, inner]);
}

function reshaped(graph: OnnxGraph, x: string, sizes: readonly string[]): string {
  const shape = graph.add('Concat', sizes, { axis: { int: 0 } });
  return graph.add('Reshape', [x, shape], { allowzero: { int: 1 } });
}

/** x, which must be as large as a window: ONNX Runtime makes a smaller one of it. */
function fillingWindow(graph: OnnxGraph, x: string, node: Apply, { size, pads }: PoolParameters): string {
  const [top, left, bottom, right] = pads;
  return atLeast(graph, x, at(node.inputs, 0), [size[0] - top - bottom, size[1] - left - right]);
}

/** Images x, the value of `variable`, which must have so many rows and columns: they are given a shape that smaller ones cannot have. */
export function atLeast(
  graph: OnnxGraph,
  x: string,
  variable: Variable,
  [rows, columns]: readonly [rows: number, columns: number],
): string {
  if (isAllKnown(variable.shape.slice(2))) return x;
  const least = graph.int64Vector([0, 0, rows, columns]);
  const shape = graph.add('Max', [graph.add('Shape', [x]), least]);
  return graph.add('Reshape', [x, shape], { allowzero: { int: 1 } });
}

type Branch = (body: OnnxGraph) => string;

/** What `usual` computes; where x has NaN or infinities, or its sum overflows, `exact`, which ONNX Runtime needs for NaN. */
function whereFinite(graph: OnnxGraph, x: string, { inputs, output }: Apply, usual: Branch, exact: Branch): string {
  const { dtype } = at(inputs, 0);
  const total = graph.add('ReduceSum', [x], { keepdims: { int: 0 } });
  const isFinite = graph.add('Equal', [graph.add('Mul', [total, graph.scalar(0, dtype)]), graph.scalar(0, dtype)]);
  const branch = (build: Branch): OnnxSubgraph =>
    graph.subgraph([], (body) => [{ name: build(body), type: output.type }]);
  return graph.add('If', [isFinite], {
    then_branch: { graph: branch(usual) },
    else_branch: { graph: branch(exact) },
  });
}

/** For each window, whether it has a NaN, as 0 or 1, and the place of the first one. */
function placesOfNan(graph: OnnxGraph, x: string, node: Apply, attributes: OnnxAttributes): [string, string] {
  const nans = graph.cast(graph.add('IsNaN', [x]), at(node.inputs, 0).dtype);
  const pooled = graph.addMany('MaxPool', [nans], 2, attributes);
  return [at(pooled, 0), at(pooled, 1)];
}

/** Rows and columns of images of float32 that windows divide without overlap or remainder; undefined of others. */
function dividedPlane({ inputs }: Apply, { size, strides, pads }: PoolParameters): Plane | undefined {
  const { dtype, shape } = at(inputs, 0);
  const [rows = null, columns = null] = shape.slice(2);
  if (dtype !== 'float32' || !isKnown(rows) || !isKnown(columns) || Math.max(...pads) > 0) return undefined;
  const isDivided = String(strides) === String(size) && rows % size[0] === 0 && columns % size[1] === 0;
  return isDivided && rows * columns < MOST_EXACT ? { rows, columns } : undefined;
}

interface Plane {
  readonly rows: number;
  readonly columns: number;
}

/** Whole numbers up to this are exact in float32. */
const MOST_EXACT = 2 ** 24;

/**
 * The places in its plane of the first of the largest elements of each window, in a third of the time of the kernel of ONNX Runtime that gives places: the
 * elements that are the largest are numbered down from the first place on, and the highest number tells.
 */
function placesOfNumbered(body: OnnxGraph, x: string, parameters: PoolParameters, { rows, columns }: Plane): string {
  const [attributes, count] = [attributesOf(parameters), rows * columns];
  const scales = body.initializer(ndarray('float32', [4], Float32Array.of(1, 1, ...parameters.size)));
  const numbers = Float32Array.from({ length: count }, (_, place) => count - place);
  const spread = body.add('Resize', [body.add('MaxPool', [x], attributes), '', scales], {
    mode: { string: 'nearest' },
    coordinate_transformation_mode: { string: 'asymmetric' },
    nearest_mode: { string: 'floor' },
  });
  // In less time than by Where.
  const numbered = body.add('Mul', [
    body.cast(body.add('Equal', [x, spread]), 'float32'),
    body.initializer(ndarray('float32', [1, 1, rows, columns], numbers)),
  ]);
  const highest = body.add('MaxPool', [numbered], attributes);
  return body.cast(body.add('Sub', [body.scalar(count, 'float32'), highest]), 'int64');
}
