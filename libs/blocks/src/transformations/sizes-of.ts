import { dimension, isKnown, type Variable } from '@longrun/tensor';

/** The size of each axis: a number where the graph knows it, else a variable. */
export function sizesOf(variable: Variable): (number | Variable)[] {
  return variable.shape.map((size, axis) => (isKnown(size) ? size : dimension(variable, axis)));
}
