import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import type { Variable } from '../graph/variable.js';
import { scanOp } from '../ops/scan-op.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { scanOf } from './scan-of.js';

/**
 * Scans that make the same steps and collect different values of them, as one that collects them all: a scan, and what its gradients have of it beside
 * what it collects.
 */
export const scansInOne: Rewrite = {
  name: 'scans of the same steps in one',
  pattern: oneOfOps('scan'),
  replacement({ node, old, view }) {
    // What was rewritten inside is alike in all of them in the next pass.
    if (node.op !== old.op) return undefined;
    const alike = view.scansOf(old.inputs).filter((other) => makeTheSameSteps(old, other));
    if (!alike.includes(old)) return undefined;
    const own = collectedBy(old);
    const all = distinct(alike.flatMap(collectedBy));
    const isFirst = alike[0] === old;
    if (isFirst && all.length === distinct(own).length) return undefined;
    const { inner, parameters } = scanOf(old);
    const states = inner.outputs.slice(0, parameters.states);
    const op = scanOp(
      { inputs: inner.inputs, outputs: [...states, ...all.map(({ variable }) => variable)] },
      { ...parameters, backwardOutputs: all.map(({ backward }) => backward) },
    );
    const made = new Apply(op, node.inputs);
    const { outputs } = view.twinOf(made) ?? made;
    const positions = own.map((one) => states.length + all.findIndex((other) => isSame(one, other)));
    return [...outputs.slice(0, states.length), ...positions.map((position) => at(outputs, position))];
  },
};

/** What a scan collects of a variable of its inner graph, and whether from the end. */
interface Collected {
  readonly variable: Variable;
  readonly backward: boolean;
}

function collectedBy(node: Apply): Collected[] {
  const { inner, parameters } = scanOf(node);
  return parameters.backwardOutputs.map((backward, position) => ({
    variable: at(inner.outputs, parameters.states + position),
    backward,
  }));
}

function distinct(all: readonly Collected[]): Collected[] {
  return all.filter((one, position) => all.findIndex((other) => isSame(one, other)) === position);
}

function isSame(one: Collected, other: Collected): boolean {
  return one.variable === other.variable && one.backward === other.backward;
}

/** Whether two scans of the same inputs have inner graphs of the same variables, and carry on the same. */
function makeTheSameSteps(first: Apply, second: Apply): boolean {
  const [one, other] = [scanOf(first), scanOf(second)];
  const { states, backwardInputs } = one.parameters;
  return (
    states === other.parameters.states &&
    areSame(backwardInputs, other.parameters.backwardInputs) &&
    areSame(one.inner.inputs, other.inner.inputs) &&
    areSame(one.inner.outputs.slice(0, states), other.inner.outputs.slice(0, states))
  );
}

function areSame<T>(first: readonly T[], second: readonly T[]): boolean {
  return first.length === second.length && first.every((entry, position) => entry === second[position]);
}
