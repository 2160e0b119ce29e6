import { at } from '../arrays/at.js';
import { applicationsSoFar, applyAgain, type Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { rebuild } from '../graph/rebuild.js';
import { isAssignable } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';
import { toposortUntil } from '../graph/walk.js';
import { RewriteHistory } from './history.js';
import { matched } from './pattern.js';
import { Provenance } from './provenance.js';
import type { Rewrite } from './rewrite.js';
import { View } from './view.js';

/** Options of {@link rewritten}. */
export interface RewriteOptions {
  /** Variables whose values are given: what computes them is not looked at. */
  readonly inputs: readonly Variable[];
  /** One stage after the other, each until none of its rewrites fits; they are tried at each application in this order. */
  readonly stages: readonly (readonly Rewrite[])[];
}

/** A graph after rewriting. */
export interface Rewritten {
  readonly outputs: Variable[];
  readonly history: RewriteHistory;
  /** What stands in for a variable of the graph as it was; itself where it stayed. */
  readonly standIn: (variable: Variable) => Variable;
  /** What each variable of the new graph stands for besides itself. */
  readonly provenance: Provenance;
}

/** How often a stage goes through the graph: what one pass makes useless, the next sees. */
const MOST_PASSES = 4;

/** How often one application, and what comes of it, is replaced in a pass. */
const MOST_FIRINGS = 32;

/**
 * The same outputs after rewrites, each applied wherever it fits, inner graphs included, until none does: what a rewrite makes is looked at again. The
 * old graph stays as it is. Takes a time linear in the size of the graph and in how much fires; where rewrites would go on for ever, they are
 * stopped, and the history says so.
 *
 * Names, tags and origins go on: what is new takes them from what it stands in for; what was there before has its own, and `provenance`
 * tells what else it stands for.
 */
export function rewritten(outputs: readonly Variable[], { inputs, stages }: RewriteOptions): Rewritten {
  const history = new RewriteHistory();
  const provenance = new Provenance();
  let results = [...outputs];
  const passes: ((variable: Variable) => Variable)[] = [];
  const replacements = new Map(inputs.map((input) => [input, input]));
  for (const rewrites of stages) {
    for (let pass = 0, fired = -1; fired !== 0 && pass < MOST_PASSES; pass += 1) {
      const rewriting = new Pass(new View(results, inputs), rewrites, history, provenance);
      const { outputs: after, standIn } = rebuild(results, (node, old) => rewriting.visit(node, old), { replacements });
      provenance.follow(standIn);
      passes.push(standIn);
      results = after;
      fired = rewriting.fired;
    }
  }
  const standIn = (variable: Variable): Variable => passes.reduce((found, pass) => pass(found), variable);
  return { outputs: results, history, standIn, provenance };
}

/** One pass over a graph. */
class Pass {
  /** How often a rewrite fired. */
  fired = 0;
  readonly #view: View;
  readonly #rewritesOf: (name: string) => readonly Rewrite[];
  readonly #history: RewriteHistory;
  readonly #provenance: Provenance;
  /** What stands in for variables that rewrites made, and what stays. */
  readonly #settled = new Map<Variable, Variable>();
  /** How often what comes of the application that is visited may still be replaced. */
  #firingsLeft = 0;

  constructor(view: View, rewrites: readonly Rewrite[], history: RewriteHistory, provenance: Provenance) {
    this.#view = view;
    this.#history = history;
    this.#provenance = provenance;
    const known = new Map<string, readonly Rewrite[]>();
    this.#rewritesOf = (name) => {
      const found = known.get(name) ?? rewrites.filter(({ pattern: { names } }) => names?.has(name) !== false);
      known.set(name, found);
      return found;
    };
  }

  visit(node: Apply, old: Apply): readonly Variable[] | undefined {
    this.#firingsLeft = MOST_FIRINGS;
    for (const input of node.inputs) this.#settled.set(input, input);
    const results = this.#settledOutputs(node, old);
    return results === node.outputs ? undefined : results;
  }

  /** What stands in for the outputs of an application whose inputs are settled; its own where it stays. */
  #settledOutputs(node: Apply, old: Apply): readonly Variable[] {
    const results = this.#replaced(node, old);
    if (results === undefined) {
      this.#view.settle(node, old);
      for (const output of node.outputs) this.#settled.set(output, output);
      return node.outputs;
    }
    return results;
  }

  #replaced(node: Apply, old: Apply): readonly Variable[] | undefined {
    for (const rewrite of this.#rewritesOf(node.op.name)) {
      const before = applicationsSoFar();
      const results = this.#resultsOf(rewrite, node, old);
      if (results === undefined) continue;
      const isNewConstant = (one: Variable): boolean => one instanceof Constant && !this.#settled.has(one);
      if (this.#firingsLeft === 0) {
        this.#history.refuses(rewrite.name, node.output, `what comes of it was replaced ${MOST_FIRINGS} times already`);
        return undefined;
      }
      this.#firingsLeft -= 1;
      this.fired += 1;
      this.#history.fires(rewrite.name, node.output);
      const settled = node.outputs.map((output, position) => {
        const result = results[position];
        if (result === undefined) return output;
        const isMade = result.owner === null ? isNewConstant(result) : result.owner.serial >= before;
        this.#provenance.goesOn(output, result, isMade);
        return this.#settle(result);
      });
      for (const [position, output] of node.outputs.entries()) this.#settled.set(output, at(settled, position));
      return settled;
    }
    return undefined;
  }

  #resultsOf(rewrite: Rewrite, node: Apply, old: Apply): readonly (Variable | undefined)[] | undefined {
    for (const match of matched(rewrite.pattern, node, old, this.#view)) {
      const reason = rewrite.check?.(match);
      if (reason !== undefined) {
        this.#history.refuses(rewrite.name, node.output, reason);
        continue;
      }
      const found = rewrite.replacement(match);
      if (found === undefined) continue;
      const results = found instanceof Variable ? [found] : found;
      const fits = node.outputs.every(({ type }, position) => isAssignable(results[position]?.type ?? type, type));
      if (fits) return results;
      this.#history.refuses(rewrite.name, node.output, 'what it makes knows fewer sizes');
    }
    return undefined;
  }

  /** What stands in for a variable that a rewrite gave: what computes it is looked at as the graph is. */
  #settle(variable: Variable): Variable {
    const isKnown = (one: Variable): boolean => this.#settled.has(one);
    for (const node of toposortUntil([variable], isKnown)) {
      const inputs = node.inputs.map((input) => this.#settled.get(input) ?? input);
      const again = applyAgain(node, inputs);
      for (const [position, output] of node.outputs.entries())
        this.#provenance.copied(output, again.outputAt(position));
      const results = this.#settledOutputs(again, again);
      for (const [position, output] of node.outputs.entries()) this.#settled.set(output, at(results, position));
    }
    return this.#settled.get(variable) ?? variable;
  }
}
