import { namedAxes } from '../graph/dimension-names.js';
import { replace } from '../graph/replace.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';

/** One size of an input that only the data tell. */
export interface UnknownSize {
  /** Position of the input. */
  readonly input: number;
  readonly axis: number;
}

/** The sizes of `inputs` that have the same name, by the name, where there are two or more. */
export function sizesByName(inputs: readonly Variable[]): ReadonlyMap<string, readonly UnknownSize[]> {
  const found = new Map<string, UnknownSize[]>();
  for (const [input, variable] of inputs.entries()) {
    for (const { name, axis } of namedAxes(variable)) found.set(name, [...(found.get(name) ?? []), { input, axis }]);
  }
  return new Map([...found].filter(([, sizes]) => sizes.length > 1));
}

/** Pairs of sizes to try: several, so that no rule about products or sums of sizes is taken for "must be equal". */
const TRIALS = [
  [101, 103],
  [97, 89],
  [61, 73],
] as const;

/**
 * The unknown sizes of `inputs` that must be equal for `outputs` to exist, such as the batch sizes of features and targets, in
 * groups of two or more. Found by trying sizes against the types of the ops, so that no op has to declare it.
 */
export function equalSizes(inputs: readonly Variable[], outputs: readonly Variable[]): UnknownSize[][] {
  const unknown = inputs.flatMap((input, at) =>
    input.shape.flatMap((dim, axis): UnknownSize[] => (dim === null ? [{ input: at, axis }] : [])),
  );
  const groups: UnknownSize[][] = [];
  for (const size of unknown) {
    const group = groups.find(([first]) => first !== undefined && mustBeEqual(inputs, outputs, first, size));
    if (group === undefined) groups.push([size]);
    else group.push(size);
  }
  return groups.filter((group) => group.length > 1);
}

function mustBeEqual(
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  a: UnknownSize,
  b: UnknownSize,
): boolean {
  const fits = (sizes: ReadonlyMap<UnknownSize, number>): boolean => isPossible(inputs, outputs, sizes);
  const disagree = TRIALS.every(
    ([p, q]) =>
      !fits(
        new Map([
          [a, p],
          [b, q],
        ]),
      ),
  );
  const [[p]] = TRIALS;
  return (
    disagree &&
    fits(
      new Map([
        [a, p],
        [b, p],
      ]),
    )
  );
}

function isPossible(
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  sizes: ReadonlyMap<UnknownSize, number>,
): boolean {
  const shapes = new Map<Variable, Variable>();
  for (const [{ input: at, axis }, size] of sizes) {
    const input = inputs[at];
    if (input === undefined) continue;
    const { dtype, shape } = (shapes.get(input) ?? input).type;
    shapes.set(input, new Variable({ dtype, shape: shape.with(axis, size) }));
  }
  try {
    replace(outputs, shapes);
    return true;
  } catch (error) {
    if (error instanceof TensorTypeError) return false;
    throw error;
  }
}
