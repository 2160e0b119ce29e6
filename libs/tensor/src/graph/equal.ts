import type { Apply } from './apply.js';
import { Constant } from './constant.js';
import type { InnerGraph, Op, OpParameter } from './op.js';
import { isKnown } from './tensor-type.js';
import type { Variable } from './variable.js';
import { toposort } from './walk.js';

/** True when two ops do the same: equal name, equal parameters, and inner graphs that compute the same from their inputs. */
export function equalOps(first: Op, second: Op): boolean {
  if (first === second) return true;
  if (first.name !== second.name || !equalParameters(first.parameters, second.parameters)) return false;
  if (first.inner === undefined || second.inner === undefined) return first.inner === second.inner;
  return equalGraphs(first.inner, second.inner);
}

/**
 * True when two graphs are built in the same way from their inputs: the same ops on the same operands, constants of the same value.
 * Names, of sizes too, and tags do not count. Variables that are not among the inputs must be the same variable in both.
 */
export function equalGraphs(first: InnerGraph, second: InnerGraph): boolean {
  if (first.inputs.length !== second.inputs.length || first.outputs.length !== second.outputs.length) return false;
  const twins = new Map<Variable, Variable | undefined>(first.inputs.map((input, at) => [input, second.inputs[at]]));
  if (first.inputs.some((input, at) => !equalTypes(input, second.inputs[at]))) return false;
  // Pairs of what the two graphs compute at the same place; the first that was met decides.
  const isTwin = (one: Variable, other: Variable | undefined): boolean => {
    if (other === undefined) return false;
    if (twins.has(one)) return twins.get(one) === other;
    if (one instanceof Constant && other instanceof Constant) return equalConstants(one, other);
    return one === other;
  };
  const firstOrder = toposort(first.outputs, { blockers: first.inputs });
  const secondOrder = toposort(second.outputs, { blockers: second.inputs });
  if (firstOrder.length !== secondOrder.length) return false;
  for (const [at, node] of firstOrder.entries()) {
    const twin = secondOrder[at];
    if (twin === undefined || !equalOps(node.op, twin.op) || node.inputs.length !== twin.inputs.length) return false;
    if (!node.inputs.every((input, position) => isTwin(input, twin.inputs[position]))) return false;
    for (const [position, output] of node.outputs.entries()) twins.set(output, twin.outputs[position]);
  }
  return first.outputs.every((output, at) => isTwin(output, second.outputs[at]));
}

/**
 * What `order`, in which each application comes after those it depends on, computes more than once: each further variable with the first one
 * that is computed in the same way.
 */
export function duplicatesIn(order: readonly Apply[]): ReadonlyMap<Variable, Variable> {
  const firsts = new Map<Variable, Variable>();
  const numbers = new Map<Variable, number>();
  const constants = new Map<string, Constant[]>();
  const constantFirsts = new Map<Variable, Variable>();
  const nodes = new Map<string, Apply[]>();
  const firstOf = (variable: Variable): Variable => {
    const known = firsts.get(variable) ?? constantFirsts.get(variable);
    if (known !== undefined || !(variable instanceof Constant)) return known ?? variable;
    const { dtype, shape, data } = variable.value;
    const alike = listAt(constants, `${dtype} ${shape.join()} ${data[0]}`);
    const first = alike.find((other) => equalConstants(other, variable));
    if (first === undefined) alike.push(variable);
    constantFirsts.set(variable, first ?? variable);
    return first ?? variable;
  };
  const numberOf = (variable: Variable): number => {
    const number = numbers.get(variable) ?? numbers.size;
    numbers.set(variable, number);
    return number;
  };
  for (const node of order) {
    const operands = node.inputs.map((input) => numberOf(firstOf(input)));
    const alike = listAt(nodes, `${node.op.name} ${operands.join()}`);
    const first = alike.find((other) => equalOps(other.op, node.op));
    if (first === undefined) alike.push(node);
    else for (const [position, output] of node.outputs.entries()) firsts.set(output, first.outputAt(position));
  }
  return firsts;
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function equalParameters(first: Op['parameters'], second: Op['parameters']): boolean {
  const names = Object.keys(first);
  return (
    names.length === Object.keys(second).length &&
    names.every((name) => Object.hasOwn(second, name) && equalParameter(first[name], second[name]))
  );
}

function equalParameter(first: OpParameter | undefined, second: OpParameter | undefined): boolean {
  if (!isList(first) || !isList(second)) return Object.is(first, second);
  return first.length === second.length && first.every((entry, at) => equalParameter(entry, second[at]));
}

function isList(parameter: OpParameter | undefined): parameter is readonly OpParameter[] {
  return Array.isArray(parameter);
}

function equalConstants(first: Constant, second: Constant): boolean {
  const [one, other] = [first.value, second.value];
  return (
    equalTypes(first, second) &&
    one.data.length === other.data.length &&
    one.data.every((value: number | bigint, at: number) => Object.is(value, other.data[at]))
  );
}

function equalTypes(first: Variable, second: Variable | undefined): boolean {
  return (
    first.dtype === second?.dtype &&
    first.ndim === second.ndim &&
    first.shape.every((dim, axis) => (isKnown(dim) ? dim === second.shape[axis] : !isKnown(second.shape[axis])))
  );
}
