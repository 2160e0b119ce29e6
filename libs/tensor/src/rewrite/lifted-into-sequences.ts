import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { Op } from '../graph/op.js';
import { rebuild } from '../graph/rebuild.js';
import { Variable } from '../graph/variable.js';
import { graphInputs, toposort } from '../graph/walk.js';
import { dimshuffle } from '../ops/dimshuffle.js';
import { scanInputs } from '../ops/scan-inputs.js';
import { scanOp } from '../ops/scan-op.js';
import type { Match } from './pattern.js';
import { scanOf } from './scan-of.js';

/** What is computed of the rows of sequences, seen from outside of a scan: of all rows at once. */
interface Lifted {
  /** (steps, ...) */
  readonly rows: Variable;
  /** Whether the scan goes through it from its end. */
  readonly backward: boolean;
}

/**
 * The op that does to all rows at once what an application does in a step, undefined where none does or is to; `ofRows` tells which of its operands are
 * rows. It is applied to these with an axis of steps before their own, and to what is the same in all steps as it is.
 */
export type LiftedOp = (node: Apply, ofRows: (variable: Variable) => boolean) => Op | undefined;

/**
 * A scan before which all is computed that its steps compute of rows of its sequences and of what is the same in all steps, as far as `liftedOp` goes;
 * undefined where that is nothing.
 */
export function liftedIntoSequences({ node }: Match, liftedOp: LiftedOp): readonly Variable[] | undefined {
  const { inner, parameters } = scanOf(node);
  const [inside, outside] = [scanInputs(inner.inputs, parameters), scanInputs(node.inputs.slice(1), parameters)];
  const same = new Map(inside.constants.map((input, position) => [input, at(outside.constants, position)]));
  const lifted = new Map<Variable, Lifted>(
    inside.sequences.map((input, position) => [
      input,
      { rows: at(outside.sequences, position), backward: at(parameters.backwardInputs, position) },
    ]),
  );
  const order = toposort(inner.outputs, { blockers: inner.inputs });
  const made = new Set<Variable>();
  for (const one of order) {
    const rows = one.inputs.flatMap((input) => lifted.get(input) ?? []);
    const [first] = rows;
    const isKnown = one.inputs.every((input) => input instanceof Constant || same.has(input) || lifted.has(input));
    if (first === undefined || !isKnown || rows.some(({ backward }) => backward !== first.backward)) continue;
    const op = one.outputs.length === 1 ? liftedOp(one, (input) => lifted.has(input)) : undefined;
    if (op === undefined) continue;
    const inputs = one.inputs.map((input) => {
      const all = lifted.get(input);
      return all === undefined ? (same.get(input) ?? input) : withAxes(all.rows, one.output.ndim);
    });
    lifted.set(one.output, { rows: new Apply(op, inputs).output, backward: first.backward });
    made.add(one.output);
  }
  const rest = order.filter(({ outputs }) => !outputs.some((output) => made.has(output)));
  const ends = [...new Set([...rest.flatMap(({ inputs }) => inputs), ...inner.outputs])].filter((end) => made.has(end));
  if (ends.length === 0) return undefined;

  const stands = ends.map(({ type, name }) => new Variable(type, name === undefined ? {} : { name }));
  const replacements = new Map(ends.map((end, position) => [end, at(stands, position)]));
  const { outputs } = rebuild(inner.outputs, () => undefined, { replacements });
  // The lengths of those that only what was lifted read are told by that.
  const read = new Set(graphInputs(outputs, { blockers: [...inner.inputs, ...stands] }));
  const behind = new Set(graphInputs(ends, { blockers: inner.inputs }));
  const kept = inside.sequences.filter((input) => read.has(input) || !behind.has(input));
  const allOf = (variable: Variable): Lifted => {
    const found = lifted.get(variable);
    if (found === undefined) throw new Error(`${variable.toString()} was not lifted`);
    return found;
  };
  const sequences = [...kept, ...ends].map(allOf);
  const op = scanOp(
    { inputs: [...kept, ...stands, ...inside.states, ...inside.constants], outputs },
    { ...parameters, backwardInputs: sequences.map(({ backward }) => backward) },
  );
  const given = [...sequences.map(({ rows }) => rows), ...outside.states, ...outside.constants];
  return new Apply(op, [at(node.inputs, 0), ...given]).outputs;
}

/** Rows with as many axes as a result has, which come after that of the steps. */
function withAxes(rows: Variable, ndim: number): Variable {
  const own = rows.shape.slice(1).map((_, axis) => axis + 1);
  const added = Array.from({ length: Math.max(0, ndim - own.length) }, () => 'x' as const);
  return dimshuffle(rows, [0, ...added, ...own]);
}
