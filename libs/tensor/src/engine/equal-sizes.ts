import { at } from '../arrays/at.js';
import { replace } from '../graph/replace.js';
import { isKnown, TensorTypeError } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';

/** One size of a variable that only the data tell. */
export interface UnknownSize {
  /** Position of the variable. */
  readonly input: number;
  readonly axis: number;
}

/** The sizes of `variables` that have the same name, by the name, where there are two or more. */
export function sizesByName(variables: readonly Variable[]): ReadonlyMap<string, readonly UnknownSize[]> {
  const found = new Map<string, UnknownSize[]>();
  for (const [input, { shape }] of variables.entries()) {
    for (const [axis, name] of shape.entries()) {
      if (typeof name === 'string') found.set(name, [...(found.get(name) ?? []), { input, axis }]);
    }
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
  const unknown = inputs.flatMap((input, position) =>
    input.shape.flatMap((dim, axis): UnknownSize[] => (isKnown(dim) ? [] : [{ input: position, axis }])),
  );
  const behind = inputsBehind(inputs, outputs);
  const dependants = inputs.map((_, position) => outputs.filter((output) => behind(output, position)));
  // No op says that they must be equal but one that depends on both.
  const common = (a: UnknownSize, b: UnknownSize): Variable[] =>
    at(dependants, a.input).filter((output) => behind(output, b.input));
  const groups: UnknownSize[][] = [];
  for (const size of unknown) {
    const group = groups.find(
      ([first]) => first !== undefined && mustBeEqual(inputs, common(first, size), first, size),
    );
    if (group === undefined) groups.push([size]);
    else group.push(size);
  }
  return groups.filter((group) => group.length > 1);
}

/** Tells whether a variable depends on the input at a position. */
function inputsBehind(
  inputs: readonly Variable[],
  outputs: readonly Variable[],
): (variable: Variable, input: number) => boolean {
  const bits = new Map(inputs.map((input, position) => [input, 1n << BigInt(position)]));
  const bitsOf = (variable: Variable): bigint => bits.get(variable) ?? 0n;
  for (const node of toposort(outputs, { blockers: inputs })) {
    const all = node.inputs.reduce((found, input) => found | bitsOf(input), 0n);
    for (const output of node.outputs) if (!bits.has(output)) bits.set(output, all);
  }
  return (variable, input) => (bitsOf(variable) & (1n << BigInt(input))) !== 0n;
}

function mustBeEqual(
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  a: UnknownSize,
  b: UnknownSize,
): boolean {
  if (outputs.length === 0) return false;
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
  const shapes = new Map(inputs.map((input) => [input, input]));
  for (const [{ input: position, axis }, size] of sizes) {
    const input = at(inputs, position);
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
