import type { Apply } from './apply.js';
import type { Variable } from './variable.js';

/** Options of the walks. */
export interface WalkOptions {
  /** Variables to stop at: they are visited, what computes them is not. */
  readonly blockers?: Iterable<Variable>;
}

/** The applications that `outputs` depend on, each after those it depends on; the order is the same for the same graph. */
export function toposort(outputs: readonly Variable[], options: WalkOptions = {}): Apply[] {
  const blockers = new Set(options.blockers ?? []);
  const order: Apply[] = [];
  const done = new Set<Apply>();
  // An explicit stack: unrolled recurrences are deeper than JavaScript's.
  const stack: { readonly node: Apply; next: number }[] = [];
  const push = (variable: Variable): void => {
    const node = variable.owner;
    if (node !== null && !blockers.has(variable) && !done.has(node)) stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    push(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next];
      if (input !== undefined && !done.has(top.node)) {
        top.next += 1;
        push(input);
        continue;
      }
      stack.pop();
      if (done.has(top.node)) continue;
      done.add(top.node);
      order.push(top.node);
    }
  }
  return order;
}

/** Every variable that `outputs` depend on, themselves included, each after those it depends on. */
export function ancestors(outputs: readonly Variable[], options: WalkOptions = {}): Variable[] {
  const found = new Set<Variable>();
  for (const node of toposort(outputs, options)) {
    for (const input of node.inputs) found.add(input);
    for (const output of node.outputs) found.add(output);
  }
  for (const output of outputs) found.add(output);
  return [...found];
}

/** The variables without owner that `outputs` depend on: inputs, constants and shared variables, in order of first use. */
export function graphInputs(outputs: readonly Variable[], options: WalkOptions = {}): Variable[] {
  const blockers = new Set(options.blockers ?? []);
  return ancestors(outputs, options).filter((variable) => variable.owner === null || blockers.has(variable));
}
