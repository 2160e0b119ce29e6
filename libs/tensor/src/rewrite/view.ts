import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { formatOp } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import type { OpName } from '../ops/op-name.js';
import { Twins } from './twins.js';

/** How many applications back it is looked for what is alike: on and on would take a time exponential in the depth of graphs that share much. */
export const REACH = 6;

/** What rewrites see of the graph that is rewritten. */
export class View {
  readonly #given: ReadonlySet<Variable>;
  readonly #unused: ReadonlySet<Variable>;
  /** What steps of scans give. */
  readonly #rows = new Set<Variable>();
  readonly #twins = new Twins();
  /** By the last of their inputs. */
  readonly #scans = new Map<Variable | undefined, Apply[]>();

  /** @param inputs whose values are given: what computes them is not looked at. */
  constructor(outputs: readonly Variable[], inputs: readonly Variable[]) {
    this.#given = new Set(inputs);
    const order = toposort(outputs, { blockers: inputs, inside: true });
    const unused = new Set<Variable>();
    for (const node of order) for (const output of node.outputs) unused.add(output);
    for (const output of outputs) unused.delete(output);
    for (const node of order) {
      if (node.op.name === 'scan') {
        const last = node.inputs.at(-1);
        this.#scans.set(last, [...(this.#scans.get(last) ?? []), node]);
      }
      for (const input of node.inputs) unused.delete(input);
      for (const end of node.op.inner?.outputs ?? []) {
        unused.delete(end);
        if (node.op.name === 'scan') this.#rows.add(end);
      }
    }
    this.#unused = unused;
  }

  /** What computes a variable; null where it is given. */
  ownerOf(variable: Variable): Apply | null {
    return this.#given.has(variable) ? null : variable.owner;
  }

  /** The operands of the op of that name that computes `variable`, seen through identities; undefined where another does. */
  operandsOf(name: OpName, variable: Variable): readonly Variable[] | undefined {
    const node = this.ownerOf(this.seenThrough(variable));
    return node?.op.name === name ? node.inputs : undefined;
  }

  /** What a variable is an identity of. */
  seenThrough(variable: Variable): Variable {
    let found = variable;
    for (let owner = this.ownerOf(found); owner !== null; owner = this.ownerOf(found)) {
      if (owner.op.name !== 'identity' && owner.op.name !== 'stopGradient') break;
      found = at(owner.inputs, 0);
    }
    return found;
  }

  /** Whether two variables are the same or are computed alike, as far as a few steps back tell. */
  same(first: Variable, second: Variable, reach = REACH): boolean {
    const [a, b] = [this.seenThrough(first), this.seenThrough(second)];
    if (a === b) return true;
    if (a instanceof Constant && b instanceof Constant) {
      return a.ndim === 0 && b.ndim === 0 && a.dtype === b.dtype && a.toNumber() === b.toNumber();
    }
    const [one, other] = [this.ownerOf(a), this.ownerOf(b)];
    if (one === null || other === null || reach === 0) return false;
    return (
      // Of inner graphs, names and parameters do not tell them apart.
      one.op.inner === undefined &&
      other.op.inner === undefined &&
      formatOp(one.op) === formatOp(other.op) &&
      a.index === b.index &&
      one.inputs.length === other.inputs.length &&
      one.inputs.every((input, position) => this.same(input, at(other.inputs, position), reach - 1))
    );
  }

  /** Whether anything uses what an application gives; of one that rewrites made, something always does. */
  isUsed(variable: Variable): boolean {
    return !this.#unused.has(variable);
  }

  /**
   * Whether a step of a scan gives it, so that an engine may write it into the array of all steps: its sums are made in the order of where an array
   * lies, so that what keeps bits lets such a variable be what it is.
   */
  isRow(variable: Variable): boolean {
    return this.#rows.has(variable);
  }

  /** The scans of the graph as it was before the pass that have these inputs. */
  scansOf(inputs: readonly Variable[]): readonly Apply[] {
    const found = this.#scans.get(inputs.at(-1)) ?? [];
    return found.filter(
      (node) => node.inputs.length === inputs.length && node.inputs.every((input, k) => input === inputs[k]),
    );
  }

  /** An application before this one that does the same to the same. */
  twinOf(node: Apply): Apply | undefined {
    return this.#twins.of(node);
  }

  /** Says that an application stays, in place of what was there before: those after it may be its twins. */
  settle(node: Apply, old: Apply): void {
    for (const [position, output] of old.outputs.entries()) {
      if (this.#rows.has(output)) this.#rows.add(at(node.outputs, position));
    }
    this.#twins.add(node);
  }
}
