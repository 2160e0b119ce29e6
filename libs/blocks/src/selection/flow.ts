import { ancestors, toposort, type Apply, type Variable } from '@longrun/tensor';

import type { ComputationGraph } from '../graph/computation-graph.js';

/**
 * What `targets` are computed from, inside of scans too; a target only where another is computed from it. All that a scan computes counts
 * for each of its outputs.
 */
export function upstream(targets: readonly Variable[]): ReadonlySet<Variable> {
  const needed = targets.flatMap(({ owner }) =>
    owner === null ? [] : [...owner.inputs, ...(owner.op.inner?.outputs ?? [])],
  );
  return new Set(ancestors(needed, { inside: true }));
}

/** What of a graph is computed from `sources`, inside of scans too; a source only where it is computed from another. */
export function downstream(graph: ComputationGraph, sources: readonly Variable[]): ReadonlySet<Variable> {
  const flow = new Flow(sources);
  flow.through(graph.variables, []);
  return flow.reached;
}

class Flow {
  readonly reached = new Set<Variable>();
  readonly #sources: ReadonlySet<Variable>;

  constructor(sources: readonly Variable[]) {
    this.#sources = new Set(sources);
  }

  through(outputs: readonly Variable[], inputs: readonly Variable[]): void {
    for (const node of toposort(outputs, { blockers: inputs })) {
      this.#throughInner(node);
      if (!this.#isReached(node.inputs) && !this.#isReached(node.op.inner?.outputs ?? [])) continue;
      for (const output of node.outputs) this.reached.add(output);
    }
  }

  #throughInner({ op: { inner }, inputs }: Apply): void {
    if (inner === undefined) return;
    const given = inputs.slice(inputs.length - inner.inputs.length);
    for (const [at, input] of inner.inputs.entries()) this.#pass(given[at], input);
    let before;
    do {
      before = this.reached.size;
      this.through(inner.outputs, inner.inputs);
      for (const { output, input } of inner.feedback ?? []) this.#pass(inner.outputs[output], inner.inputs[input]);
    } while (this.reached.size > before);
  }

  #pass(from: Variable | undefined, to: Variable | undefined): void {
    if (from !== undefined && to !== undefined && this.#isReached([from])) this.reached.add(to);
  }

  #isReached(variables: readonly Variable[]): boolean {
    return variables.some((variable) => this.#sources.has(variable) || this.reached.has(variable));
  }
}
