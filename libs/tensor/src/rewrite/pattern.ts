import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { Variable } from '../graph/variable.js';
import type { OpName } from '../ops/op-name.js';
import type { View } from './view.js';

/** What a variable has to be: data, which {@link matched} reads. */
export type Pattern = Hole | ScalarPattern | OpPattern;

/** Whatever is there, under a name: the same name twice stands for what is computed alike. */
export interface Hole {
  readonly kind: 'hole';
  readonly name: string;
  /** What else it has to be. Default: anything. */
  readonly where?: (variable: Variable, view: View) => boolean;
}

/** A constant without axes, of this value. */
export interface ScalarPattern {
  readonly kind: 'scalar';
  readonly value: number;
}

/** What one of some ops gives, of operands as they are named here. */
export interface OpPattern {
  readonly kind: 'op';
  /** Of any one of these ops; undefined: of any op. */
  readonly names: ReadonlySet<string> | undefined;
  /** In order; undefined: of any operands. */
  readonly operands: readonly Pattern[] | undefined;
  /** Whether the operands may be in the other order, too: that given is tried first. */
  readonly commutes: boolean;
}

export function hole(name: string, where?: Hole['where']): Hole {
  return where === undefined ? { kind: 'hole', name } : { kind: 'hole', name, where };
}

export function scalarOf(value: number): ScalarPattern {
  return { kind: 'scalar', value };
}

/** `op('log', op('softmax', hole('x')))` */
export function op(name: OpName, ...operands: readonly Pattern[]): OpPattern {
  return { kind: 'op', names: new Set([name]), operands, commutes: false };
}

/** An op whose two operands may be in either order. */
export function eitherWay(name: OpName, first: Pattern, second: Pattern): OpPattern {
  return { kind: 'op', names: new Set([name]), operands: [first, second], commutes: true };
}

/** One of several ops, whatever their operands. */
export function oneOfOps(...names: readonly OpName[]): OpPattern {
  return { kind: 'op', names: new Set(names), operands: undefined, commutes: false };
}

/** Any application. */
export function anyOp(): OpPattern {
  return { kind: 'op', names: undefined, operands: undefined, commutes: false };
}

/** An application that is as a pattern has it, and what stands in its holes. */
export class Match {
  /** With operands that were rewritten. */
  readonly node: Apply;
  /** As it was before; itself where that is the same. */
  readonly old: Apply;
  readonly view: View;
  readonly #holes: Holes;

  constructor(node: Apply, old: Apply, view: View, holes: Holes) {
    this.node = node;
    this.old = old;
    this.view = view;
    this.#holes = holes;
  }

  /** What stands in a hole. */
  of(name: string): Variable {
    const variable = this.#holes.get(name);
    if (variable === undefined) throw new Error(`the pattern of ${this.node.op.name} has no hole ${name}`);
    return variable;
  }
}

type Holes = ReadonlyMap<string, Variable>;

/** Every way in which an application is as a pattern has it, one at a time: a pattern whose op commutes may fit in two. */
export function matched(pattern: OpPattern, node: Apply, old: Apply, view: View): Iterable<Match> {
  return mayFit(pattern, node, view) ? matches(pattern, node, old, view) : NONE;
}

const NONE: readonly Match[] = [];

/** Whether the ops of an application and of its operands are those of a pattern: of most they are not, and that is found out at once. */
function mayFit({ names, operands, commutes }: OpPattern, node: Apply, view: View): boolean {
  if (names?.has(node.op.name) === false) return false;
  if (operands === undefined) return true;
  const { inputs } = node;
  if (operands.length !== inputs.length) return false;
  const mayBe = (pattern: Pattern, input: Variable): boolean => {
    if (pattern.kind === 'hole') return true;
    if (pattern.kind === 'scalar') return isScalar(input, pattern.value);
    const owner = view.ownerOf(view.seenThrough(input));
    return owner !== null && pattern.names?.has(owner.op.name) !== false;
  };
  const fits = (given: readonly Variable[]): boolean =>
    operands.every((pattern, position) => mayBe(pattern, at(given, position)));
  return fits(inputs) || (commutes && fits(inputs.toReversed()));
}

function* matches(pattern: OpPattern, node: Apply, old: Apply, view: View): Generator<Match> {
  for (const holes of ofNode(pattern, node, view, new Map())) yield new Match(node, old, view, holes);
}

function* ofNode({ names, operands, commutes }: OpPattern, node: Apply, view: View, holes: Holes): Generator<Holes> {
  if (names?.has(node.op.name) === false) return;
  if (operands === undefined) {
    yield holes;
    return;
  }
  if (operands.length !== node.inputs.length) return;
  yield* ofOperands(operands, node.inputs, view, holes);
  if (commutes) yield* ofOperands(operands, node.inputs.toReversed(), view, holes);
}

function* ofOperands(
  patterns: readonly Pattern[],
  inputs: readonly Variable[],
  view: View,
  holes: Holes,
): Generator<Holes> {
  const [first, ...rest] = patterns;
  if (first === undefined) {
    yield holes;
    return;
  }
  for (const found of ofVariable(first, at(inputs, 0), view, holes)) {
    yield* ofOperands(rest, inputs.slice(1), view, found);
  }
}

function* ofVariable(pattern: Pattern, variable: Variable, view: View, holes: Holes): Generator<Holes> {
  if (pattern.kind === 'op') {
    const owner = view.ownerOf(view.seenThrough(variable));
    if (owner !== null) yield* ofNode(pattern, owner, view, holes);
  } else if (pattern.kind === 'scalar') {
    if (isScalar(variable, pattern.value)) yield holes;
  } else {
    const known = holes.get(pattern.name);
    if (known !== undefined && !view.same(known, variable)) return;
    if (pattern.where?.(variable, view) !== false) yield new Map(holes).set(pattern.name, known ?? variable);
  }
}

/** Whether it is a constant without axes, of this value; of zeros that of this sign. */
export function isScalar(variable: Variable, value: number): boolean {
  return variable instanceof Constant && variable.ndim === 0 && Object.is(variable.toNumber(), value);
}
