import { checkArguments } from './arguments.js';
import { isScalarConstant, stableNames } from './names.js';
import { formatOp } from './op.js';
import { formatType } from './tensor-type.js';
import type { Variable } from './variable.js';
import { graphInputs, toposort } from './walk.js';

/**
 * The graph as readable text: its inputs, then one line for each application, then what it returns; an inner graph stands indented
 * below the application that has it. Each variable has one name in all of it, and the same graph has the same text, whenever it was
 * built.
 */
export function printGraph(outputs: readonly Variable[]): string {
  checkArguments('printGraph', ['outputs', outputs, 'variables']);
  const names = stableNames(outputs);
  return graphLines([], outputs, names).join('\n');
}

function graphLines(
  given: readonly Variable[],
  outputs: readonly Variable[],
  names: ReadonlyMap<Variable, string>,
): string[] {
  const nameOf = (variable: Variable): string => names.get(variable) ?? variable.toString();
  const listed = (variables: readonly Variable[]): string => variables.map(nameOf).join(', ');
  const inputs = new Set([...given, ...graphInputs(outputs)]);
  const listedInputs = [...inputs].filter((input) => !isScalarConstant(input));
  const lines = listedInputs.map((input) => `${nameOf(input)}: ${formatType(input.type)}`);
  for (const node of toposort(outputs)) {
    const types = node.outputs.map(({ type }) => formatType(type)).join(', ');
    lines.push(`${listed(node.outputs)} = ${formatOp(node.op)}(${listed(node.inputs)}): ${types}`);
    const { inner } = node.op;
    if (inner !== undefined) lines.push(...graphLines(inner.inputs, inner.outputs, names).map((line) => `  ${line}`));
  }
  return [...lines, `return ${listed(outputs)}`];
}
