/** How many inputs each output of a linear or convolutional map has, and how many outputs each input. */
export interface Fans {
  readonly in: number;
  readonly out: number;
}

/**
 * The fans of weights: of a matrix `(inputDim, outputDim)`, such as the `W` of `Linear`, or of filters `(filters, channels, ...sizes)`, of which each place counts (PyTorch:
 * `_calculate_fan_in_and_fan_out`).
 *
 * @param who begins the error
 * @throws Error for fewer than two axes
 */
export function fansOf(shape: readonly number[], who: string): Fans {
  const [first, second, ...sizes] = shape;
  if (first === undefined || second === undefined) {
    throw new Error(`${who}: the shape is (${shape.join(', ')}); only matrices and filters have inputs and outputs`);
  }
  if (sizes.length === 0) return { in: first, out: second };
  const places = sizes.reduce((product, size) => product * size, 1);
  return { in: second * places, out: first * places };
}
