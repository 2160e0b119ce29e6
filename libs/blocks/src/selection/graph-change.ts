import { ancestors, identity, tagKey, type Variable } from '@longrun/tensor';

import { ComputationGraph } from '../graph/computation-graph.js';
import { pathOf } from '../graph/path-of.js';

/** What was made of one variable. */
export interface VariableChange {
  /** As it was in the graph before. */
  readonly before: Variable;
  /** What stands in its place, or was made of it, in the new graph. */
  readonly after: Variable;
}

/** A graph that was made of another, and a report of how they differ. */
export class GraphChange {
  readonly graph: ComputationGraph;
  /** In the order of the graph before. */
  readonly changes: readonly VariableChange[];
  /** What stands in the new graph for a variable of the one before. */
  readonly standIn: (variable: Variable) => Variable;
  readonly #did: string;

  private constructor(
    graph: ComputationGraph,
    changes: readonly VariableChange[],
    standIn: (variable: Variable) => Variable,
    did: string,
  ) {
    this.graph = graph;
    this.changes = changes;
    this.standIn = standIn;
    this.#did = did;
  }

  /** The graph with replacements in place of variables. Where one is the variable itself, it stays. */
  static of(before: ComputationGraph, replacements: Iterable<readonly [Variable, Variable]>): GraphChange {
    const wanted = [...replacements].filter(([variable, replacement]) => variable !== replacement);
    for (const [variable, replacement] of wanted) mark(replacement, variable);
    const { graph, standIn } = before.replaced(new Map(wanted));
    return new GraphChange(
      graph,
      wanted.map(([variable]) => ({ before: variable, after: standIn(variable) })),
      standIn,
      'replaced',
    );
  }

  /** The graph with more outputs, each named after the path of the variable that it was made of. @throws Error for one within a scan */
  static withOutputs(
    before: ComputationGraph,
    made: readonly (readonly [Variable, Variable])[],
    suffix: string,
  ): GraphChange {
    const [inner] = made.find(([variable]) => !before.variables.includes(variable)) ?? [];
    if (inner !== undefined) {
      throw new Error(
        `monitor: ${pathOf(inner) ?? inner.toString()} is within a scan, from where no values come out; monitor what the scan gives, ` +
          'by a selection without inside()',
      );
    }
    const changes = made.map(([variable, one]) => {
      // A copy, so that what has a name keeps it.
      const after = identity(one);
      after.name = `${pathOf(variable) ?? variable.toString()}${suffix}`;
      return { before: variable, after };
    });
    const graph = new ComputationGraph([...before.outputs, ...changes.map(({ after }) => after)]);
    return new GraphChange(graph, changes, (variable) => variable, 'monitored');
  }

  /** What stands in the new graph for each variable that was changed: to be monitored, or changed again. */
  get variables(): readonly Variable[] {
    return this.changes.map(({ after }) => after);
  }

  /** `2 variables replaced:` and a line for each: `  /mlp/linear_0.W float32 (784, 500) by add.0`. */
  toString(): string {
    const count = `${this.changes.length} ${this.changes.length === 1 ? 'variable' : 'variables'} ${this.#did}`;
    if (this.changes.length === 0) return count;
    const lines = this.changes.map(
      ({ before, after }) => `  ${pathOf(before) ?? before.toString()} by ${shown(after)}`,
    );
    return [`${count}:`, ...lines].join('\n');
  }
}

const REPLACEMENT_OF = tagKey<Variable>('replacementOf');

/** The variable that this one was put in the place of (Blocks: `tag.replacement_of`). */
export function replacementOf(variable: Variable): Variable | undefined {
  return variable.tag.get(REPLACEMENT_OF);
}

/** What leaves nothing of the variable in the graph is that variable to all who ask: it has its name, its roles and its maker. */
function mark(replacement: Variable, variable: Variable): void {
  const isNew = replacement.owner !== null && replacement.name === undefined && replacement.tag.isEmpty;
  if (isNew && !ancestors([replacement]).includes(variable)) replacement.takeOver(variable);
  replacement.tag.set(REPLACEMENT_OF, variable);
}

function shown({ owner, name }: Variable): string {
  return owner === null ? (name ?? 'a variable') : owner.toString();
}
