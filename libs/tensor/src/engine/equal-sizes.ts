import { at } from '../arrays/at.js';
import { replace } from '../graph/replace.js';
import type { Apply } from '../graph/apply.js';
import { isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';
import { dependants, toposort } from '../graph/walk.js';
import { sizeTold } from '../ops/told-size.js';
import { typesWith } from './types-with.js';

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
 * groups of two or more. Found by trying sizes against the types of the ops, so that no op has to declare it: all at once, each by a number of
 * its own, op by op, which takes time linear in the graph; where that does not tell what an op refuses, in pairs, each on the whole graph.
 */
export function equalSizes(inputs: readonly Variable[], outputs: readonly Variable[]): UnknownSize[][] {
  const unknown = inputs.flatMap((input, position) =>
    input.shape.flatMap((dim, axis): UnknownSize[] => (isKnown(dim) ? [] : [{ input: position, axis }])),
  );
  if (unknown.length < 2) return [];
  const order = toposort(outputs, { blockers: inputs });
  const sizes = new Labels(inputs, unknown, firstLabel(order, unknown.length));
  const unclear: Apply[] = [];
  for (const node of order) if (!sizes.infer(node)) unclear.push(node);
  if (unclear.length > 0) tryPairs(sizes, inputs, outputs, unclear);
  return sizes.groups().filter((group) => group.length > 1);
}

/** Numbers that are no sum, small multiple or small difference of one another: in a shape, they tell which size it is. */
const LEAST_LABEL = 10_007;
const LABEL_STEP = 997;

/** Such that no size that the graph knows is one of `count` labels. */
function firstLabel(order: readonly Apply[], count: number): number {
  const known = new Set(order.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].flatMap(({ shape }) => shape)));
  let first = LEAST_LABEL;
  const isTaken = (size: Dim): boolean =>
    isKnown(size) && size >= first && size < first + count * LABEL_STEP && (size - first) % LABEL_STEP === 0;
  while ([...known].some(isTaken)) first += 1;
  return first;
}

/** Sizes that have numbers of their own, but for those that are known to be equal, and the shapes that follow from them. */
class Labels {
  readonly unknown: readonly UnknownSize[];
  readonly #firstLabel: number;
  /** For each, the first one that it must be equal to: itself, or one before it. */
  readonly #first: number[];
  /** Those of which the op that is looked at takes not any number, so that they are taken for unknown there. */
  #bound = new Set<number>();
  readonly #shapes = new Map<Variable, readonly Dim[]>();

  constructor(inputs: readonly Variable[], unknown: readonly UnknownSize[], first: number) {
    this.unknown = unknown;
    this.#firstLabel = first;
    this.#first = unknown.map((_, position) => position);
    for (const [position, { input, axis }] of unknown.entries()) {
      const variable = at(inputs, input);
      const shape = this.#shapes.get(variable) ?? variable.shape;
      this.#shapes.set(variable, shape.with(axis, first + position * LABEL_STEP));
    }
  }

  /** Infers the types of what `node` gives, after finding which sizes must be equal for it; false where they cannot be inferred. */
  infer(node: Apply): boolean {
    this.#bound = new Set();
    let types = typesWith(node, (variable) => this.#shapeOf(variable));
    if (types === undefined && this.#joinAt(node)) types = typesWith(node, (variable) => this.#shapeOf(variable));
    for (const [position, output] of node.outputs.entries()) {
      if (!this.#shapes.has(output)) this.#shapes.set(output, types?.[position]?.shape ?? output.shape);
    }
    return types !== undefined;
  }

  firstOf(position: number): number {
    let first = position;
    while (at(this.#first, first) !== first) first = at(this.#first, first);
    this.#first[position] = first;
    return first;
  }

  join(a: number, b: number): void {
    const [first, second] = [this.firstOf(a), this.firstOf(b)];
    this.#first[Math.max(first, second)] = Math.min(first, second);
  }

  groups(): UnknownSize[][] {
    const groups = new Map<number, UnknownSize[]>();
    for (const [position, size] of this.unknown.entries()) {
      const first = this.firstOf(position);
      groups.set(first, [...(groups.get(first) ?? []), size]);
    }
    return [...groups.values()];
  }

  #shapeOf(variable: Variable): readonly Dim[] {
    const shape = this.#shapes.get(variable) ?? variable.shape;
    return shape.map((dim) => {
      const size = this.#sizeBy(dim);
      if (size === undefined) return dim;
      return this.#bound.has(size) ? null : this.#firstLabel + size * LABEL_STEP;
    });
  }

  /** The size that a number stands for: the first of those equal to it. */
  #sizeBy(dim: Dim): number | undefined {
    const position = !isKnown(dim) ? -1 : (dim - this.#firstLabel) / LABEL_STEP;
    return Number.isInteger(position) && position >= 0 && position < this.unknown.length
      ? this.firstOf(position)
      : undefined;
  }

  /** Joins the sizes in the shapes of what `node` takes that must be equal for it, and sets those aside that it takes not every number for; whether there are any. */
  #joinAt(node: Apply): boolean {
    const sizesOf = (variable: Variable): (number | undefined)[] =>
      this.#shapeOf(variable).map((dim) => this.#sizeBy(dim));
    // Of all others nothing is known, as of sizes that are made of several.
    const fits = (a: number, b: number, [sizeA, sizeB]: readonly [number, number]): boolean =>
      typesWith(node, (variable) => {
        const sizes = sizesOf(variable);
        return variable.shape.map((dim, axis) => {
          const size = sizes[axis];
          if (size === undefined) return dim;
          return size === a ? sizeA : size === b ? sizeB : null;
        });
      }) !== undefined;
    const told = node.inputs.flatMap((input) => {
      const size = sizeTold(input);
      return size === undefined ? sizesOf(input) : [sizesOf(size.of)[size.axis]];
    });
    const groups: number[] = [];
    let found = false;
    for (const size of new Set(told.filter((one) => one !== undefined))) {
      const equal = groups.find((first) => mustBeEqual((trial) => fits(first, size, trial)));
      if (equal !== undefined) this.join(equal, size);
      else if (TRIALS.some((trial) => fits(size, size, trial))) groups.push(size);
      else this.#bound.add(size);
      found ||= groups.at(-1) !== size;
    }
    return found;
  }
}

/** Joins the sizes that must be equal for outputs that depend on `nodes`, and on both of the sizes. */
function tryPairs(
  sizes: Labels,
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  nodes: readonly Apply[],
): void {
  const behind = inputsBehind(inputs, outputs);
  const unclear = dependants(toposort(outputs, { blockers: inputs }), (variable) =>
    nodes.some((node) => node.outputs.includes(variable)),
  );
  const affected = outputs.filter(
    (output) => unclear.has(output) || nodes.some((node) => node.outputs.includes(output)),
  );
  const reached = sizes.unknown.flatMap(({ input }, position) =>
    affected.some((output) => behind(output, input)) ? [position] : [],
  );
  for (const [count, b] of reached.entries()) {
    for (const a of reached.slice(0, count)) {
      if (sizes.firstOf(a) !== a || sizes.firstOf(b) !== b) continue;
      const pair = [at(sizes.unknown, a), at(sizes.unknown, b)] as const;
      const common = affected.filter((output) => pair.every(({ input }) => behind(output, input)));
      if (mustBeEqual((trial) => isPossible(inputs, common, pair, trial))) sizes.join(a, b);
    }
  }
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

/** Whether two sizes fit where they are equal, and never where they are not. */
function mustBeEqual(fits: (sizes: readonly [number, number]) => boolean): boolean {
  const [[size]] = TRIALS;
  return TRIALS.every((trial) => !fits(trial)) && fits([size, size]);
}

function isPossible(
  inputs: readonly Variable[],
  outputs: readonly Variable[],
  pair: readonly [UnknownSize, UnknownSize],
  sizes: readonly [number, number],
): boolean {
  const shapes = new Map(inputs.map((input) => [input, input]));
  for (const [position, { input: own, axis }] of pair.entries()) {
    const input = at(inputs, own);
    const { dtype, shape } = (shapes.get(input) ?? input).type;
    shapes.set(input, new Variable({ dtype, shape: shape.with(axis, at(sizes, position)) }));
  }
  try {
    replace(outputs, shapes);
    return true;
  } catch (error) {
    if (error instanceof TensorTypeError) return false;
    throw error;
  }
}
