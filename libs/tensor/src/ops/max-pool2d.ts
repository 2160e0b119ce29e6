import { at } from '../arrays/at.js';
import { dense, type DenseArray } from '../arrays/dense-array.js';
import { applyOp, type Apply } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import type { Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { checkOperands } from './convolution.js';
import { dimension, dimensions, elementCount } from './dimension.js';
import { zerosLike } from './fill.js';
import { fillingOne, pooledShape, poolWindows, type PoolOptions, type PoolParameters } from './pool-output-shape.js';
import { putAlongAxis } from './put-along-axis.js';
import { reshape } from './reshape.js';
import { windowsOfAxis } from './windows.js';

/**
 * The largest element of each window of images (batch, channels, rows, columns), NaN where one is. The gradient goes to the first
 * of those that are equal. Theano's `pool_2d` in mode 'max'. Floats only.
 */
export function maxPool2d(x: Variable, options: PoolOptions): Variable {
  checkArguments('maxPool2d', ['x', x, 'variable'], ['options', options, 'options']);
  checkOperands('maxPool2d', [x]);
  const windows = poolWindows('maxPool2d', describe(x), x.shape, options);
  return applyOp(maxPool2dOp(windows), [fillingOne(x, -Infinity, windows, options)]);
}

/** The op of {@link maxPool2d}. */
export const maxPool2dOp = defineOp({
  name: 'maxPool2d',
  inferTypes(inputs, parameters: PoolParameters) {
    const x = at(inputs, 0);
    return [{ dtype: x.dtype, shape: shapeAfter(x, parameters) }];
  },
  grad(node, outputGradients, parameters) {
    const x = at(node.inputs, 0);
    const places = applyOp(maxPool2dPlacesOp(parameters), [x]);
    const gradient = flatPlanes(onlyGradient(node, outputGradients));
    const scattered = putAlongAxis(zerosLike(flatPlanes(x)), flatPlanes(places), gradient, { mode: 'add' });
    return [reshape(scattered, dimensions(x))];
  },
  run(inputs, node, parameters) {
    const x = at(inputs, 0);
    const places = placesOfLargest(x, node, parameters);
    const plane = at(x.shape, 2) * at(x.shape, 3);
    const perPlane = at(places.shape, 2) * at(places.shape, 3);
    const largest = places.data.map((place, position) => at(x.data, Math.floor(position / perPlane) * plane + place));
    return [dense(x.dtype, places.shape, largest)];
  },
});

/** Where in its plane, whose rows stand one after another, the largest element of each window is: the first NaN, or the first of those that are equal. */
export const maxPool2dPlacesOp = defineOp({
  name: 'maxPool2dPlaces',
  inferTypes: (inputs, parameters: PoolParameters) => [
    { dtype: 'int64', shape: shapeAfter(at(inputs, 0), parameters) },
  ],
  grad: () => [DISCONNECTED],
  run: (inputs, node, parameters) => [placesOfLargest(at(inputs, 0), node, parameters)],
});

function shapeAfter(x: Variable, parameters: PoolParameters): Dim[] {
  return pooledShape('maxPool2d', describe(x), x.shape, parameters);
}

/** (batch, channels, rows · columns) */
function flatPlanes(x: Variable): Variable {
  return reshape(x, [dimension(x, 0), dimension(x, 1), elementCount(x, [2, 3])]);
}

function placesOfLargest(x: DenseArray, node: Apply, parameters: PoolParameters): DenseArray {
  const shape = pooledShape('maxPool2d', describe(at(node.inputs, 0)), x.shape, parameters).map(Number);
  const [height, width, rows, columns] = [at(x.shape, 2), at(x.shape, 3), at(shape, 2), at(shape, 3)];
  const [vertical, horizontal] = [windowsOfAxis(parameters, 0), windowsOfAxis(parameters, 1)];
  const places = dense('int64', shape);
  for (let position = 0; position < places.data.length; position += 1) {
    const [column, row] = [position % columns, Math.floor(position / columns) % rows];
    const plane = Math.floor(position / (columns * rows)) * height * width;
    const [top, left] = [row * vertical.stride - vertical.before, column * horizontal.stride - horizontal.before];
    const [firstRow, firstColumn] = [Math.max(top, 0), Math.max(left, 0)];
    let place = firstRow * width + firstColumn;
    for (let y = firstRow; y < Math.min(top + parameters.size[0], height); y += 1) {
      for (let along = firstColumn; along < Math.min(left + parameters.size[1], width); along += 1) {
        const next = y * width + along;
        // Larger, or the first NaN.
        const best = at(x.data, plane + place);
        if (!Number.isNaN(best) && !(at(x.data, plane + next) <= best)) place = next;
      }
    }
    places.data[position] = place;
  }
  return places;
}
