import { philox4x32, sizeOf } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense, type DenseArray } from '../arrays/dense-array.js';
import { Apply } from '../graph/apply.js';
import { checkArguments, shown } from '../graph/arguments.js';
import { Constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp } from '../graph/op.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { checkRandomState, type Draw } from './random-state.js';
import { toldSizes } from './told-size.js';

/** Options of {@link randomBits}. */
export interface RandomBitsOptions {
  /** How many random bits each integer has, 1 to 53. Default 32. */
  readonly width?: number;
}

/**
 * Integers in [0, 2^width), each equally likely and the same on every engine: int32 up to 31 bits, uint32 of 32, int64 beyond. Each
 * entry of `shape` is a size or an integer scalar. No gradient flows through it.
 *
 * They are the upper bits of the 32-bit words, beyond 32 bits of the 53-bit integers of two words, of `randomAt(seed, { epoch: 0, index,
 * stage })` of libs/serialization, where `index` counts the draws: Philox4x32-10 under the key of seed and stage. A draw
 * has 2^34 words.
 */
export function randomBits(
  state: Variable,
  shape: readonly (number | Variable)[],
  options: RandomBitsOptions = {},
): Draw {
  checkArguments(
    'randomBits',
    ['state', state, 'variable'],
    ['shape', shape, 'sizes'],
    ['options', options, 'options'],
  );
  const known = shape.map((entry) => (entry instanceof Constant ? entry.toNumber() : entry));
  const sizes = known.map((entry) => (entry instanceof Variable ? 'input' : entry));
  const inputs = known.filter((entry) => entry instanceof Variable).map((entry) => cast(entry, 'int64'));
  const node = new Apply(randomBitsOp({ shape: sizes, width: options.width ?? 32 }), [state, ...inputs]);
  return { values: node.outputAt(0), state: node.outputAt(1) };
}

/** 'input' stands for a size that is an input. */
type Sizes = readonly (number | 'input')[];

/** The op of {@link randomBits}. */
export const randomBitsOp = defineOp({
  name: 'randomBits',
  inferTypes(inputs, { shape, width }: { readonly shape: Sizes; readonly width: number }) {
    checkRandomState('randomBits', at(inputs, 0));
    if (!Number.isInteger(width) || width < 1 || width > 53) {
      throw new TensorTypeError(
        `randomBits: integers of ${shown(width)} bits cannot be drawn; give a width of 1 to 53`,
      );
    }
    const wrong = shape.find((size) => size !== 'input' && (!Number.isSafeInteger(size) || size < 0));
    if (wrong !== undefined || inputs.slice(1).some(({ ndim }) => ndim > 0)) {
      throw new TensorTypeError(
        `randomBits: there is no shape (${shape.join(', ')}); give sizes from 0 on, or integer scalars that are such`,
      );
    }
    const dtype = width < 32 ? 'int32' : width === 32 ? 'uint32' : 'int64';
    return [
      { dtype, shape: toldSizes(inputs, shape) },
      { dtype: 'int64', shape: [3] },
    ];
  },
  grad: (node) => node.inputs.map((): typeof DISCONNECTED => DISCONNECTED),
  run(inputs, node, { shape: sizes, width }) {
    const state = at(inputs, 0);
    let next = 0;
    const shape = sizes.map((size) => {
      if (size !== 'input') return size;
      next += 1;
      return at(at(inputs, next).data, 0);
    });
    const { dtype } = node.outputAt(0);
    const values = dense(dtype, shape, bits(state, sizeOf(shape), width));
    const [key0, key1, index] = [at(state.data, 0), at(state.data, 1), at(state.data, 2)];
    return [values, dense('int64', [3], Float64Array.of(key0, key1, index + 1))];
  },
});

function bits(state: DenseArray, count: number, width: number): Float64Array {
  const data = new Float64Array(count);
  if (width <= 32) {
    const words = philoxWords(state, count);
    for (let k = 0; k < count; k += 1) data[k] = at(words, k) >>> (32 - width);
    return data;
  }
  const words = philoxWords(state, 2 * count);
  const unwanted = 2 ** (53 - width);
  for (let k = 0; k < count; k += 1) {
    const joined = (at(words, 2 * k) >>> 5) * 2 ** 26 + (at(words, 2 * k + 1) >>> 6);
    data[k] = Math.floor(joined / unwanted);
  }
  return data;
}

/** The first `count` words of the draw, and up to three more. */
function philoxWords({ data }: DenseArray, count: number): Uint32Array {
  const [key0, key1, index] = [at(data, 0), at(data, 1), at(data, 2)];
  const upperIndex = Math.floor(index / 2 ** 32);
  const blocks = Math.ceil(count / 4);
  const words = new Uint32Array(4 * blocks);
  const four = new Uint32Array(4);
  for (let block = 0; block < blocks; block += 1) {
    philox4x32(block, 0, index, upperIndex, key0, key1, four);
    words.set(four, 4 * block);
  }
  return words;
}
