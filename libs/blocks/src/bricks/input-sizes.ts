import { formatShape, commonShape, type Variable } from '@longrun/tensor';

import type { BoundApplication } from './bound-application.js';
import type { Dimension } from './brick.js';

/**
 * Throws when the static shape of an input contradicts what the brick expects of it, naming the application and both shapes.
 * What is not known before there are data is left to the run.
 */
export function checkInputSizes(called: BoundApplication, name: string, input: Variable): void {
  const expected = expectedSizes(called, name);
  if (expected === undefined) return;
  if (commonShape(input.shape.slice(-expected.length), expected) !== undefined) return;
  throw new Error(
    `${called.toString()}: ${name} has shape ${formatShape(input.shape)} but should end in ${formatShape(expected)}; ` +
      `change the dimension of the brick or of what feeds it`,
  );
}

/** The sizes of the last axes of an input as its brick knows them; undefined where it does not, or for a scalar. */
export function expectedSizes(called: BoundApplication, name: string): readonly number[] | undefined {
  if (called.inputs?.includes(name) !== true) return undefined;
  const dimension = knownDimension(called, name);
  if (dimension === undefined || dimension === 0) return undefined;
  return typeof dimension === 'number' ? [dimension] : dimension;
}

function knownDimension(called: BoundApplication, name: string): Dimension | undefined {
  return called.brick.hasDim(name) ? called.brick.getDim(name) : undefined;
}
