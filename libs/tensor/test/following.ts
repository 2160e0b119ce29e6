import { ndarray, type NdArray } from '@longrun/serialization';

import { add, mul, shared, sqrt, square, sub, tanh, type SharedVariable, type Variable } from '../src/index.js';

/** So many elements that ONNX Runtime leaves updates to kernels. */
export const FUSED_SIZE = 1027;

/** A vector of one value. */
export function filled(value: number, size = FUSED_SIZE): NdArray<'float32'> {
  return ndarray('float32', [size], new Float32Array(size).fill(value));
}

/** A parameter and what a step rule remembers of it. */
export interface Following {
  readonly W: SharedVariable;
  readonly mean: SharedVariable;
  readonly meanSquare: SharedVariable;
  readonly updates: readonly (readonly [SharedVariable, Variable])[];
}

/** The updates of a step like Adam's, which is ten elementwise ops, from a gradient that kernels cannot compute: `tanh(W)` unless one is given. */
export function following(gradientOf: (W: Variable) => Variable = tanh): Following {
  const [W, mean, meanSquare] = [shared(filled(1), 'W'), shared(filled(0), 'mean'), shared(filled(0), 'meanSquare')];
  const gradient = gradientOf(W);
  const nextMean = add(mul(mean, 0.9), mul(gradient, 0.1));
  const nextSquare = add(mul(meanSquare, 0.99), mul(square(gradient), 0.01));
  const step = mul(nextMean, sqrt(nextSquare));
  return {
    W,
    mean,
    meanSquare,
    updates: [
      [W, sub(W, step)],
      [mean, nextMean],
      [meanSquare, nextSquare],
    ],
  };
}
