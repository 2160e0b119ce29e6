import { formatShape } from '../graph/tensor-type.js';
import type { Apply } from '../graph/apply.js';
import type { InnerGraph } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';

/**
 * What gradients of a step read of the step, and what takes long to compute again: products and reductions, or what is added to them, and what
 * is collected anyway. Inputs of the step are not among them.
 *
 * @param collected What the scan collects already.
 * @param gradients Computed from variables of the step and from others.
 */
export function keptOfSteps(
  inner: InnerGraph,
  collected: ReadonlySet<Variable>,
  gradients: readonly Variable[],
): Variable[] {
  const ofStep = new Set(toposort(inner.outputs, { blockers: inner.inputs }));
  const order = toposort(gradients, { blockers: inner.inputs });
  const again = order.filter((node) => ofStep.has(node));
  const slow = slowOnes(again);
  const users = usersIn(order);
  const kept = new Set<Variable>();
  const seen = new Set<Variable>();
  const waiting = [
    ...order.flatMap((node) =>
      ofStep.has(node) ? [] : node.inputs.filter((_, k) => k !== SHAPE_OF.get(node.op.name)),
    ),
    ...gradients,
  ];
  for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
    const { owner } = variable;
    if (owner === null || !ofStep.has(owner) || !slow.has(variable) || seen.has(variable)) continue;
    seen.add(variable);
    if (collected.has(variable) || isSlow(owner) || endsProduct(owner, users)) kept.add(variable);
    else waiting.push(...owner.inputs);
  }
  return again.flatMap(({ outputs }) => outputs.filter((output) => kept.has(output)));
}

/** What is computed slowly, or from what is. */
function slowOnes(order: readonly Apply[]): ReadonlySet<Variable> {
  const found = new Set<Variable>();
  for (const node of order) {
    if (!isSlow(node) && !node.inputs.some((input) => found.has(input))) continue;
    for (const output of node.outputs) found.add(output);
  }
  return found;
}

function usersIn(order: readonly Apply[]): ReadonlyMap<Variable, readonly Apply[]> {
  const users = new Map<Variable, Apply[]>();
  for (const node of order) {
    for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  }
  return users;
}

function isSlow({ op }: Apply): boolean {
  return SLOW.has(op.name);
}

/** Whether it is a sum of a product and something else, of the size of the product, which nothing else needs. */
function endsProduct(node: Apply, users: ReadonlyMap<Variable, readonly Apply[]>): boolean {
  if (node.op.name !== 'add') return false;
  return node.inputs.some(
    (input) =>
      input.owner !== null &&
      isSlow(input.owner) &&
      formatShape(input.shape) === formatShape(node.output.shape) &&
      users.get(input)?.length === 1,
  );
}

const SLOW: ReadonlySet<string> = new Set([
  'conv2d',
  'conv2dGradFilters',
  'conv2dGradInputs',
  'dot',
  'logsumexp',
  'matmul',
  'max',
  'mean',
  'min',
  'prod',
  'sum',
]);

/** Which input an op reads the shape of alone. */
const SHAPE_OF: ReadonlyMap<string, number> = new Map([
  ['dimension', 0],
  ['fill', 0],
  ['unslice', 1],
]);
