import { sizeOf } from '@longrun/serialization';

import { at } from '../../arrays/at.js';
import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import { isAllKnown, type Dim } from '../../graph/tensor-type.js';
import type { Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { FunctionGraph, FusionRules } from '../engine.js';
import { ofEngine } from './of-engine.js';
import { isWithinLimits, type Kernel } from './kernel.js';
import { kernelOp } from './kernel-ops.js';

/** A new value of a shared variable that no kernel computes. */
export interface UnfusedUpdate {
  readonly output: Variable;
  /** Why not: a sentence without its full stop. */
  readonly reason: string;
}

/** Which updates of a graph kernels can compute. */
export interface Fusible {
  readonly kernels: readonly Kernel[];
  readonly unfused: readonly UnfusedUpdate[];
}

/**
 * The updates that end in elementwise ops, as kernels: each goes back from its updates as far as ops are elementwise and nothing else needs their
 * results, and what updates have in common is read and computed once.
 */
export function fusible(graph: FunctionGraph, rules: FusionRules): Fusible {
  const updates = graph.outputs.filter((output) => graph.state?.has(output) === true);
  const order = toposort(graph.outputs, { blockers: graph.inputs });
  const given = new Set(graph.inputs);
  const verdicts = verdictsOf(graph, order, rules);
  const isOfEngine = ofEngine(graph, order, (node) => numbersInto(node, verdicts));
  const reasonAgainst = (output: Variable): string | undefined => {
    if (given.has(output) || output.owner === null) return 'nothing computes it';
    return verdicts.get(output.owner) ?? (isOfEngine(output) ? 'the engine needs it for what is not fused' : undefined);
  };
  const groups = new Groups();
  const unfused: UnfusedUpdate[] = [];
  for (const output of updates) {
    const reason = reasonAgainst(output) ?? (output.dtype === 'float32' ? undefined : `it is ${output.dtype}`);
    if (reason === undefined) groups.add(output, (variable) => reasonAgainst(variable) === undefined);
    else unfused.push({ output, reason });
  }
  const kernels = kernelsOf(groups.all(), order);
  const reason = 'with what has arrays in common with it, it is too much for one kernel';
  const large = kernels.filter((kernel) => !isWithinLimits(kernel)).flatMap(({ outputs }) => outputs);
  return {
    kernels: kernels.filter(isWithinLimits),
    unfused: [...unfused, ...large.map((output) => ({ output, reason }))],
  };
}

/** Of each application why it is in no kernel; undefined where it may be. */
function verdictsOf(
  graph: FunctionGraph,
  order: readonly Apply[],
  rules: FusionRules,
): ReadonlyMap<Apply, string | undefined> {
  const given = new Set(graph.inputs);
  const ofConstants = new Set<Variable>();
  const isOfConstants = (variable: Variable): boolean => variable instanceof Constant || ofConstants.has(variable);
  const verdicts = new Map<Apply, string | undefined>();
  const isMask = (variable: Variable): boolean =>
    variable.owner !== null && !given.has(variable) && verdicts.get(variable.owner) === undefined;
  for (const node of order) {
    if (node.inputs.every((input) => !given.has(input) && isOfConstants(input))) {
      for (const output of node.outputs) ofConstants.add(output);
    }
    verdicts.set(node, whyNot(node, isMask) ?? rules.rewrites(node, isOfConstants));
  }
  return verdicts;
}

/** @param isMask Whether a kernel computes a bool. */
function whyNot(node: Apply, isMask: (variable: Variable) => boolean): string | undefined {
  const op = kernelOp(node);
  if (op === undefined) {
    const types = [...node.inputs, ...node.outputs].map(({ dtype }) => dtype).join(', ');
    return `kernels have no ${node.op.name} of ${types}`;
  }
  const { shape } = node.output;
  if (shape.length === 0) return 'it is a number';
  if (!isAllKnown(shape)) return 'its size is not known';
  if (shape.includes(0)) return 'it is empty';
  for (const input of operandsOf(node)) {
    const isArray = hasShape(input, shape);
    if (!isArray && !isOne(input)) return `${node.op.name} broadcasts`;
    if (input.dtype === 'bool' && !(isArray && isMask(input))) return `${node.op.name} reads a bool of the engine`;
  }
  return undefined;
}

/** The inputs that a kernel reads of an application, each once. */
function operandsOf(node: Apply): readonly Variable[] {
  const operands = kernelOp(node)?.operands ?? [];
  return [...new Set(operands.map((position) => at(node.inputs, position)))];
}

/** What goes as a number into an application that a kernel may compute; undefined of one that none may. */
function numbersInto(node: Apply, verdicts: ReadonlyMap<Apply, string | undefined>): readonly Variable[] | undefined {
  if (verdicts.get(node) !== undefined) return undefined;
  return operandsOf(node).filter((input) => !hasShape(input, node.output.shape));
}

function hasShape(variable: Variable, shape: readonly Dim[]): boolean {
  return variable.ndim === shape.length && variable.shape.every((size, axis) => size === shape[axis]);
}

function isOne({ shape }: Variable): boolean {
  return isAllKnown(shape) && sizeOf(shape) === 1;
}

/** Updates that have arrays in common, and what computes them. */
interface Group {
  readonly outputs: Variable[];
  readonly nodes: Set<Apply>;
  /** What is read and what is computed, of the shape of the outputs. */
  readonly arrays: Set<Variable>;
  /** What is read, of one element. */
  readonly scalars: Set<Variable>;
}

class Groups {
  readonly #groupOf = new Map<Variable, Group>();
  readonly #groups = new Set<Group>();

  all(): readonly Group[] {
    return [...this.#groups];
  }

  /** @param isComputed Whether a kernel may compute a variable. */
  add(output: Variable, isComputed: (variable: Variable) => boolean): void {
    const group = reached(output, isComputed);
    for (const array of group.arrays) {
      const other = this.#groupOf.get(array);
      if (other !== undefined && this.#groups.delete(other)) merge(group, other);
    }
    for (const array of group.arrays) this.#groupOf.set(array, group);
    this.#groups.add(group);
  }
}

/** What computes `output`, as far back as kernels go. */
function reached(output: Variable, isComputed: (variable: Variable) => boolean): Group {
  const group: Group = { outputs: [output], nodes: new Set(), arrays: new Set(), scalars: new Set() };
  const shape = output.shape.map(Number);
  const waiting = [output];
  for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
    if (group.arrays.has(variable) || group.scalars.has(variable)) continue;
    if (!hasShape(variable, shape)) {
      group.scalars.add(variable);
      continue;
    }
    group.arrays.add(variable);
    if (variable.owner === null || !isComputed(variable)) continue;
    group.nodes.add(variable.owner);
    waiting.push(...operandsOf(variable.owner));
  }
  return group;
}

function merge(group: Group, other: Group): void {
  group.outputs.unshift(...other.outputs);
  for (const node of other.nodes) group.nodes.add(node);
  for (const array of other.arrays) group.arrays.add(array);
  for (const scalar of other.scalars) group.scalars.add(scalar);
}

/** No application is in two groups: what it computes would be an array of both. */
function kernelsOf(groups: readonly Group[], order: readonly Apply[]): Kernel[] {
  const nodes = new Map(groups.map((group): [Group, Apply[]] => [group, []]));
  const groupOf = new Map(groups.flatMap((group) => [...group.nodes].map((node) => [node, group] as const)));
  for (const node of order) {
    const group = groupOf.get(node);
    if (group !== undefined) nodes.get(group)?.push(node);
  }
  return [...nodes].map(([group, inOrder]) => kernelOf(group, inOrder));
}

/** @param inOrder the nodes of the group, each after those it depends on */
function kernelOf({ outputs, arrays, scalars }: Group, inOrder: readonly Apply[]): Kernel {
  const computed = new Set(inOrder.map(({ output }) => output));
  return {
    shape: at(outputs, 0).shape.map(Number),
    nodes: inOrder,
    arrays: [...arrays].filter((array) => !computed.has(array)),
    scalars: [...scalars],
    outputs,
  };
}
