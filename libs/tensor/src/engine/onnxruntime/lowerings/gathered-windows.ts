import { ndarray } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import { isAllKnown } from '../../../graph/tensor-type.js';
import type { Variable } from '../../../graph/variable.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { ConvolutionParameters } from '../../../ops/convolution.js';

/**
 * The gradient of filters as one product of matrices: of what each tap sees of all images with the gradient of the output. Undefined where the kernel for
 * convolutions serves; where there are more filters than taps, that lays out what it multiplies on one thread, and takes up to twice as long.
 *
 * @param image (batch, channels, rows, columns)
 * @param gradient (batch, filters, rows, columns)
 */
export function filtersOfGathered(
  graph: OnnxGraph,
  [image, gradient]: readonly [image: string, gradient: string],
  node: Apply,
  parameters: ConvolutionParameters,
): string | undefined {
  const shapes = gatheredShapes(node, parameters);
  if (shapes === undefined) return undefined;
  const { images, output, filters } = shapes;
  const reshape = (x: string, ...shape: readonly number[]): string =>
    graph.add('Reshape', [x, graph.int64Vector(shape)]);
  const transpose = (x: string, ...perm: readonly number[]): string =>
    graph.add('Transpose', [x], { perm: { ints: perm } });
  // With the batch last, whatever is copied is as long as that.
  const byPlace = transpose(reshape(image, images.batch, images.channels * planeOf(images)), 1, 0);
  const places = placesSeen(shapes, parameters);
  const seen = graph.add(
    'Gather',
    [
      reshape(byPlace, images.channels, planeOf(images), images.batch),
      graph.initializer(ndarray('int64', [places.length], BigInt64Array.from(places, BigInt))),
    ],
    { axis: { int: 1 } },
  );
  const windows = planeOf(output) * images.batch;
  const byWindow = transpose(reshape(gradient, images.batch, output.channels, planeOf(output)), 2, 0, 1);
  const product = graph.add('MatMul', [
    reshape(seen, images.channels * planeOf(filters), windows),
    reshape(byWindow, windows, output.channels),
  ]);
  return reshape(transpose(product, 1, 0), ...node.output.shape.map(Number));
}

/** Images, or filters, whose batch are the channels of the output. */
interface Images {
  readonly batch: number;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
}

interface Shapes {
  readonly images: Images;
  readonly output: Images;
  readonly filters: Images;
}

/** The shapes of a convolution, where the gradient of its filters is to be one product. */
function gatheredShapes(node: Apply, { pads, groups }: ConvolutionParameters): Shapes | undefined {
  const [images, output] = [imagesOf(at(node.inputs, 0)), imagesOf(at(node.inputs, 1))];
  const filters = imagesOf(node.output);
  if (images === undefined || output === undefined || filters === undefined) return undefined;
  const isPlain = groups === 1 && pads.every((size) => size === 0);
  const isFaster = filters.batch > planeOf(filters) && images.batch >= SHORTEST_RUN;
  const gathered = images.channels * planeOf(filters) * planeOf(output) * images.batch;
  return isPlain && isFaster && gathered > 0 && gathered <= MOST_GATHERED ? { images, output, filters } : undefined;
}

/** Fewer numbers in a row are not copied faster than one by one. */
const SHORTEST_RUN = 16;
/** 64 MiB of them: a kernel for convolutions needs no such memory. */
const MOST_GATHERED = 2 ** 24;

function imagesOf({ shape }: Variable): Images | undefined {
  if (!isAllKnown(shape)) return undefined;
  return { batch: at(shape, 0), channels: at(shape, 1), rows: at(shape, 2), columns: at(shape, 3) };
}

function planeOf({ rows, columns }: Images): number {
  return rows * columns;
}

/** For each tap of a filter, the places in the plane of an image that it sees in all windows. */
function placesSeen({ images, output, filters }: Shapes, { strides, dilation }: ConvolutionParameters): number[] {
  const seenFrom = ({ rows, columns }: Images, [down, right]: readonly [number, number]): number[] =>
    upTo(rows).flatMap((row) => upTo(columns).map((column) => row * down * images.columns + column * right));
  return seenFrom(filters, dilation).flatMap((tap) => seenFrom(output, strides).map((first) => first + tap));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, position) => position);
}
