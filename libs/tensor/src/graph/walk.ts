import type { Apply } from './apply.js';
import { checkArguments, checkOption } from './arguments.js';
import type { Variable } from './variable.js';

/** Options of the walks. */
export interface WalkOptions {
  /** Variables to stop at: they are visited, what computes them is not. */
  readonly blockers?: Iterable<Variable>;
  /** Walk through inner graphs too; what is in one comes before the application that has it. Default false. */
  readonly inside?: boolean;
}

/** The applications that `outputs` depend on, each after those it depends on; the order is the same for the same graph. */
export function toposort(outputs: readonly Variable[], options: WalkOptions = {}): Apply[] {
  checkArguments('toposort', ['outputs', outputs, 'variables'], ['options', options, 'options']);
  checkOption('toposort', 'blockers', options.blockers, 'iterable');
  const blockers = new Set(options.blockers ?? []);
  return toposortUntil(outputs, (variable) => blockers.has(variable), options.inside);
}

/** {@link toposort} that stops where `isBlocked` says so. */
export function toposortUntil(
  outputs: readonly Variable[],
  isBlocked: (variable: Variable) => boolean,
  inside = false,
): Apply[] {
  const order: Apply[] = [];
  const done = new Set<Apply>();
  // An explicit stack: unrolled recurrences are deeper than JavaScript's. Of each application on it, what it needs, and which of that is next.
  const nodes: Apply[] = [];
  const needs: (readonly Variable[])[] = [];
  const nexts: number[] = [];
  const push = (variable: Variable): void => {
    const node = variable.owner;
    if (node === null || done.has(node) || isBlocked(variable)) return;
    const { inner } = node.op;
    nodes.push(node);
    needs.push(inside && inner !== undefined ? [...node.inputs, ...inner.outputs] : node.inputs);
    nexts.push(0);
  };
  for (const output of outputs) {
    push(output);
    for (let top = nodes.length - 1; top >= 0; top = nodes.length - 1) {
      const [node, next] = [nodes[top], nexts[top] ?? 0];
      if (node === undefined) break;
      const needed = needs[top]?.[next];
      if (needed !== undefined && !done.has(node)) {
        nexts[top] = next + 1;
        push(needed);
        continue;
      }
      nodes.pop();
      needs.pop();
      nexts.pop();
      if (done.has(node)) continue;
      done.add(node);
      order.push(node);
    }
  }
  return order;
}

/** Every variable that `outputs` depend on, themselves included, each after those it depends on. */
export function ancestors(outputs: readonly Variable[], options: WalkOptions = {}): Variable[] {
  checkArguments('ancestors', ['outputs', outputs, 'variables'], ['options', options, 'options']);
  const found = new Set<Variable>();
  for (const node of toposort(outputs, options)) {
    for (const input of node.inputs) found.add(input);
    if (options.inside === true) for (const end of innerEnds(node)) found.add(end);
    for (const output of node.outputs) found.add(output);
  }
  for (const output of outputs) found.add(output);
  return [...found];
}

/** The variables without owner that `outputs` depend on: inputs, constants and shared variables, in order of first use. */
export function graphInputs(outputs: readonly Variable[], options: Pick<WalkOptions, 'blockers'> = {}): Variable[] {
  checkArguments('graphInputs', ['outputs', outputs, 'variables'], ['options', options, 'options']);
  checkOption('graphInputs', 'blockers', options.blockers, 'iterable');
  const blockers = new Set(options.blockers ?? []);
  return ancestors(outputs, options).filter((variable) => variable.owner === null || blockers.has(variable));
}

/** What the applications of `order` compute from a variable that `isRoot` picks, directly or through others of them. */
export function dependants(order: readonly Apply[], isRoot: (variable: Variable) => boolean): Set<Variable> {
  const found = new Set<Variable>();
  for (const node of order) {
    if (!node.inputs.some((input) => isRoot(input) || found.has(input))) continue;
    for (const output of node.outputs) found.add(output);
  }
  return found;
}

/** The ends of an inner graph, which no application inside of it need have: an output may be an input. */
function innerEnds({ op: { inner } }: Apply): readonly Variable[] {
  return inner === undefined ? [] : [...inner.inputs, ...inner.outputs];
}
