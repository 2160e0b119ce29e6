import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import type { OnnxAttributes, OnnxGraph, OnnxSubgraph } from '../../../onnx/onnx-graph.js';
import type { PoolParameters } from '../../../ops/pool-output-shape.js';
import type { OnnxLowerings } from './lowering.js';
import { isAllKnown } from '../../../graph/tensor-type.js';

export const pools = {
  maxPool2d(graph, inputs, { node, parameters }) {
    const x = fillingWindow(graph, at(inputs, 0), node, parameters);
    const { dtype } = node.output;
    const attributes = attributesOf(parameters);
    const largest = (body: OnnxGraph): string => body.add('MaxPool', [x], attributes);
    return [
      whereFinite(graph, x, node, largest, (body) => {
        const [isNan] = placesOfNan(body, x, node, attributes);
        // The kernel without places takes -Infinity for the least finite number.
        const exact = at(body.addMany('MaxPool', [x], 2, attributes), 0);
        return body.add('Where', [body.cast(isNan, 'bool'), body.scalar(Number.NaN, dtype), exact]);
      }),
    ];
  },
  maxPool2dPlaces(graph, inputs, { node, parameters }) {
    const x = fillingWindow(graph, at(inputs, 0), node, parameters);
    const attributes = attributesOf(parameters);
    const largest = (body: OnnxGraph): string => at(body.addMany('MaxPool', [x], 2, attributes), 1);
    const places = whereFinite(graph, x, node, largest, (body) => {
      const [isNan, place] = placesOfNan(body, x, node, attributes);
      return body.add('Where', [body.cast(isNan, 'bool'), place, largest(body)]);
    });
    // ONNX counts through all planes.
    const plane = graph.add('ReduceProd', [graph.add('Shape', [x], { start: { int: 2 } })], { keepdims: { int: 0 } });
    return [graph.add('Mod', [places, plane])];
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

/** x, which must be as large as a window: ONNX Runtime makes a smaller one of it, so that it is given a shape that a smaller image cannot have. */
function fillingWindow(graph: OnnxGraph, x: string, node: Apply, { size, pads }: PoolParameters): string {
  const [top, left, bottom, right] = pads;
  if (isAllKnown(at(node.inputs, 0).shape.slice(2))) return x;
  const least = graph.int64Vector([0, 0, size[0] - top - bottom, size[1] - left - right]);
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
