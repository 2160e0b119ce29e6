import type { Apply } from '../../graph/apply.js';
import { duplicatesIn } from '../../graph/equal.js';
import type { Variable } from '../../graph/variable.js';
import type { FunctionGraph } from '../engine.js';

/**
 * Tells of a variable whether the engine computes it: results and applications that no kernel may compute, what goes into these, or as a number into
 * those of kernels, and what all this is made of. Kernels compute none of it once more: the optimizer of an engine goes by what uses a value, and
 * would find fewer uses than in the whole graph. As it may make one of what is computed in the same way, the engine has all of that or nothing, with
 * all that it goes into; but for what is made of numbers alone, as rates are.
 *
 * @param order The applications of the graph, each after those it depends on.
 * @param numbersInto What goes as a number into an application that a kernel may compute; undefined of one that none may.
 */
export function ofEngine(
  { inputs, outputs, state }: FunctionGraph,
  order: readonly Apply[],
  numbersInto: (node: Apply) => readonly Variable[] | undefined,
): (variable: Variable) => boolean {
  const given = new Set(inputs);
  const duplicates = duplicatesIn(order);
  const firstOf = (variable: Variable): Variable => duplicates.get(variable) ?? variable;
  const several = new Set(duplicates.values());
  const ofNumbers = new Set<Variable>();
  const isOfNumbers = (variable: Variable): boolean =>
    variable.ndim === 0 && (variable.owner === null || given.has(variable) || ofNumbers.has(variable));
  // What kernels cannot be given by the engine, with what it goes into.
  const uses = new Map<Variable, Variable[]>();
  for (const { inputs: operands, outputs: results } of order) {
    if (operands.every(isOfNumbers)) for (const result of results) if (result.ndim === 0) ofNumbers.add(result);
    for (const operand of new Set(operands.map(firstOf))) {
      const isMask = operand.dtype === 'bool' && operand.owner !== null && !given.has(operand);
      if (!isMask && (!several.has(operand) || isOfNumbers(operand))) continue;
      const known = uses.get(operand);
      if (known === undefined) uses.set(operand, [...results]);
      else known.push(...results);
    }
  }

  const found = new Set<Variable>();
  const waiting = outputs.filter((output) => state?.has(output) !== true || output.dtype !== 'float32');
  for (const node of order) waiting.push(...(numbersInto(node) ?? node.outputs));
  for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
    const first = firstOf(variable);
    if (found.has(first)) continue;
    found.add(first);
    if (first.owner !== null && !given.has(first)) waiting.push(...first.owner.inputs);
    waiting.push(...(uses.get(first) ?? []));
  }
  return (variable) => found.has(firstOf(variable));
}
