import { applyAgain, type Apply } from './apply.js';
import { madeFor } from './origin.js';
import { closeOver } from './inner.js';
import { formatOp, type Op } from './op.js';
import { formatType, isAssignable, TensorTypeError } from './tensor-type.js';
import { describe, type Variable } from './variable.js';
import { toposortUntil } from './walk.js';

/**
 * Says what stands in for the outputs of an application, one variable for each; undefined where it stays. `node` has rebuilt inputs;
 * it is `old` itself where they did not change.
 */
export type Visit = (node: Apply, old: Apply) => readonly Variable[] | undefined;

/** Options of {@link rebuild}. */
export interface RebuildOptions {
  /** Variables that others stand in for from the start; what computes them is not visited. */
  readonly replacements?: ReadonlyMap<Variable, Variable>;
}

/** What {@link rebuild} returns. */
export interface Rebuilt {
  readonly outputs: Variable[];
  /** What stands in for a variable of the old graph; itself where it stayed or is not of that graph. */
  readonly standIn: (variable: Variable) => Variable;
}

/**
 * One pass over the graph from its inputs to `outputs`, inner graphs included, in which each application is visited once; the time
 * it takes is linear in the graph. The old graph stays as it is, and what nothing changed is shared with it.
 *
 * Name and tag survive: a copy has those of the variable that it was copied from, and a variable that `visit` made has those of the
 * one it stands in for, unless it has its own. A variable that was there before stands in as it is.
 *
 * @throws TensorTypeError when what `visit` gives has not the type of the output it stands in for.
 */
export function rebuild(outputs: readonly Variable[], visit: Visit, options: RebuildOptions = {}): Rebuilt {
  const rebuilding = new Rebuilding(visit, options.replacements);
  rebuilding.extend(outputs);
  const standIn = (variable: Variable): Variable => rebuilding.standIn(variable);
  return { outputs: outputs.map(standIn), standIn };
}

/** A {@link rebuild} that goes on: what an earlier `extend` reached is not visited again. */
export class Rebuilding {
  readonly #visit: Visit;
  readonly #standIns: Map<Variable, Variable>;
  readonly #results: Set<Variable>;
  readonly #ops = new Map<Op, RebuiltOp>();

  constructor(visit: Visit, replacements: ReadonlyMap<Variable, Variable> = new Map()) {
    this.#visit = visit;
    this.#standIns = new Map(replacements);
    this.#results = new Set(replacements.values());
  }

  /** What stands in for `variable` so far. */
  standIn(variable: Variable): Variable {
    return this.#standIns.get(variable) ?? variable;
  }

  /** Has `replacement` stand in for `variable` from here on; undefined: what it is rebuilt to at the next `extend`. */
  set(variable: Variable, replacement: Variable | undefined): void {
    if (replacement === undefined) {
      this.#standIns.delete(variable);
      return;
    }
    this.#standIns.set(variable, replacement);
    this.#results.add(replacement);
  }

  /** Rebuilds what `outputs` depend on, and returns the applications that were visited, in order. */
  extend(outputs: readonly Variable[]): Apply[] {
    const order = toposortUntil(outputs, (variable) => this.#standIns.has(variable));
    for (const node of order) this.#rebuildNode(node);
    return order;
  }

  #rebuildNode(old: Apply): void {
    const { op, captured } = this.#rebuildOp(old.op);
    const inputs = old.inputs.map((input) => this.standIn(input));
    const node = applyAgain(old, captured.length === 0 ? inputs : [...inputs, ...captured], op);
    const results = madeFor(old.origin.part, () => this.#visit(node, old)) ?? node.outputs;
    for (const [at, output] of old.outputs.entries()) {
      if (this.#standIns.has(output)) continue;
      const result = results[at];
      if (result === undefined) {
        throw new Error(
          `rebuild: ${results.length} variables cannot stand in for ${old.outputs.length} of ${formatOp(old.op)}`,
        );
      }
      if (result !== node.outputs[at]) this.#checkNew(result, output);
      this.set(output, result);
    }
  }

  #checkNew(result: Variable, output: Variable): void {
    if (!isAssignable(result.type, output.type)) throw cannotStandIn('rebuild', result, output);
    const isNew = result.owner !== null && !this.#standIns.has(result) && !this.#results.has(result);
    if (isNew && result.name === undefined && result.tag.isEmpty) result.takeOver(output);
  }

  #rebuildOp(op: Op): RebuiltOp {
    const { inner } = op;
    if (inner === undefined) return { op, captured: [] };
    const known = this.#ops.get(op);
    if (known !== undefined) return known;
    this.extend(inner.outputs);
    const outputs = inner.outputs.map((output) => this.standIn(output));
    let rebuilt: RebuiltOp = { op, captured: [] };
    if (outputs.some((output, at) => output !== inner.outputs[at])) {
      const { graph, captured } = closeOver({ inputs: inner.inputs, outputs });
      rebuilt = { op: inner.opOf(graph), captured };
    }
    this.#ops.set(op, rebuilt);
    return rebuilt;
  }
}

/** An op whose inner graph was rebuilt, and the variables around it that the inner graph uses now. */
interface RebuiltOp {
  readonly op: Op;
  readonly captured: readonly Variable[];
}

/** The error that `replacement` has not the type of what it is to stand in for. */
export function cannotStandIn(who: string, replacement: Variable, old: Variable): TensorTypeError {
  return new TensorTypeError(
    `${who}: ${describe(replacement)} cannot stand in for ${describe(old)}; give a replacement of ${formatType(old.type)}`,
  );
}
