import {
  add,
  cast,
  constant,
  gt,
  ifElse,
  mul,
  pick,
  scan,
  sum,
  where,
  type ScanOptions,
  type Variable,
} from '../../src/index.js';
import { array, present } from '../op-laws.js';
import { BUILDERS, numbersOf, type Builder } from './builders.js';
import type { GoldenParameters } from './op-golden.js';

/** An op of the values at some positions. */
export interface OpNode {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly parameters: GoldenParameters;
}

/** A graph of its own: its positions count the values around it first, then its arguments, then the values of its nodes. */
interface Body {
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly number[];
}

/** A node as random_scans.py draws it. */
export type GraphNode =
  | OpNode
  | { readonly scan: ScanNode }
  | { readonly ifElse: { readonly condition: number; readonly above: number; readonly branches: readonly Body[] } };

/** A scan, whose inputs are positions. */
export interface ScanNode extends Body {
  readonly sequences: readonly { readonly input: number; readonly taps: readonly number[] }[];
  /** One for each output. */
  readonly states: readonly ({ readonly initial: number; readonly taps: readonly number[] } | null)[];
  readonly nonSequences: readonly number[];
  readonly nSteps: number | { readonly input: number } | null;
  readonly goBackwards: boolean;
  readonly truncateGradient: number | null;
}

/** Makes the outputs of a scan. */
export type BuildScan = (
  step: (...variables: Variable[]) => readonly Variable[],
  options: ScanOptions & { readonly outputsInfo: NonNullable<ScanOptions['outputsInfo']> },
) => Variable[];

/** Ops that only random graphs have. */
const MORE_BUILDERS: Readonly<Record<string, Builder>> = {
  'count on': ([count]) => add(present(count), 1),
  'times count': ([x, count]) => mul(present(x), cast(present(count), present(x).dtype)),
  'where greater': ([a, b, c, d]) => where(gt(present(a), present(b)), present(c), present(d)),
  'pick constant labels': ([x], { labels, shape }) =>
    pick(present(x), constant(array('int64', numbersOf(shape), numbersOf(labels)))),
};

/** The values given, and after them those of the nodes; scans are made by `through`. */
export function valuesOf(
  nodes: readonly GraphNode[],
  given: readonly Variable[],
  through: BuildScan = scan,
): readonly Variable[] {
  const values = [...given];
  for (const node of nodes) {
    const at = (position: number): Variable => present(values[position]);
    if ('op' in node) {
      const build = present(BUILDERS[node.op] ?? MORE_BUILDERS[node.op]);
      values.push(...[build(node.inputs.map(at), node.parameters)].flat());
    } else if ('scan' in node) {
      values.push(...scanOf(node.scan, values, through));
    } else {
      const { condition, above, branches } = node.ifElse;
      const [ifTrue, ifFalse] = branches.map((branch) => () => outputsOf(branch, values, through));
      values.push(...ifElse(gt(sum(at(condition)), above), present(ifTrue), present(ifFalse)));
    }
  }
  return values;
}

function outputsOf(body: Body, given: readonly Variable[], through: BuildScan): readonly Variable[] {
  const values = valuesOf(body.nodes, given, through);
  return body.outputs.map((position) => present(values[position]));
}

function scanOf(node: ScanNode, values: readonly Variable[], through: BuildScan): readonly Variable[] {
  const at = (position: number): Variable => present(values[position]);
  const { nSteps, truncateGradient } = node;
  const steps = nSteps !== null && typeof nSteps === 'object' ? at(nSteps.input) : nSteps;
  return through((...given) => outputsOf(node, [...values, ...given], through), {
    sequences: node.sequences.map(({ input, taps }) => ({ input: at(input), taps })),
    outputsInfo: node.states.map((state) => state && { initial: at(state.initial), taps: state.taps }),
    nonSequences: node.nonSequences.map(at),
    goBackwards: node.goBackwards,
    ...(steps === null ? {} : { nSteps: steps }),
    ...(truncateGradient === null ? {} : { truncateGradient }),
  });
}
