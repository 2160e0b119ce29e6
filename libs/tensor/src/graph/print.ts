import { formatOp } from './op.js';
import { formatType } from './tensor-type.js';
import type { Variable } from './variable.js';

/**
 * The graph as indented text, one variable a line, each application with a number; Theano's `debugprint`. A result printed
 * before is only referred to by its number.
 */
export function printGraph(outputs: readonly Variable[]): string {
  const lines: string[] = [];
  const numbers = new Map<object, number>();
  const stack = outputs.map((variable) => ({ variable, depth: 0 })).toReversed();
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { variable, depth } = entry;
    const node = variable.owner;
    const indent = '  '.repeat(depth);
    if (node === null) {
      lines.push(`${indent}${variable.toString()} ${formatType(variable.type)}`);
      continue;
    }
    const known = numbers.get(node);
    const number = known ?? numbers.size;
    numbers.set(node, number);
    const which = node.outputs.length > 1 ? `.${variable.index}` : '';
    const name = variable.name === undefined ? '' : ` '${variable.name}'`;
    const line = `${indent}#${number}${which} ${formatOp(node.op)} ${formatType(variable.type)}${name}`;
    lines.push(known === undefined ? line : `${line} (above)`);
    if (known !== undefined) continue;
    for (const input of node.inputs.toReversed()) stack.push({ variable: input, depth: depth + 1 });
  }
  return lines.join('\n');
}
