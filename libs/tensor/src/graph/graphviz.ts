import { checkArguments } from './arguments.js';
import { isScalarConstant, stableNames } from './names.js';
import { formatOp } from './op.js';
import { formatType } from './tensor-type.js';
import type { Variable } from './variable.js';
import { graphInputs, toposort } from './walk.js';

/**
 * The graph in Graphviz' DOT language: boxes are applications, ellipses inputs, arrows variables with name and type; inner graphs are
 * frames. `dot -Tsvg` draws it. Names are those of `printGraph`.
 */
export function graphviz(outputs: readonly Variable[]): string {
  checkArguments('graphviz', ['outputs', outputs, 'variables']);
  const drawing = new Drawing(stableNames(outputs));
  drawing.graph([], outputs);
  return ['digraph {', ...drawing.lines.map((line) => `  ${line}`), '}'].join('\n');
}

class Drawing {
  readonly lines: string[] = [];
  readonly #names: ReadonlyMap<Variable, string>;
  readonly #ids = new Map<object, string>();
  #frames = 0;

  constructor(names: ReadonlyMap<Variable, string>) {
    this.#names = names;
  }

  graph(given: readonly Variable[], outputs: readonly Variable[]): void {
    for (const input of new Set([...given, ...graphInputs(outputs)])) {
      const label = isScalarConstant(input) ? this.#nameOf(input) : `${this.#nameOf(input)}\n${formatType(input.type)}`;
      this.#node(input, label, 'ellipse');
    }
    for (const node of toposort(outputs)) {
      const { inner } = node.op;
      if (inner !== undefined) this.#frame(formatOp(node.op), () => this.graph(inner.inputs, inner.outputs));
      this.#node(node, formatOp(node.op), 'box');
      for (const input of node.inputs) this.#edge(input, node);
    }
    for (const [at, output] of outputs.entries()) {
      const end = { output, at };
      this.#node(end, `output ${at}`, 'plaintext');
      this.#edge(output, end);
    }
  }

  #nameOf(variable: Variable): string {
    return this.#names.get(variable) ?? variable.toString();
  }

  #idOf(thing: object): string {
    const id = this.#ids.get(thing) ?? `n${this.#ids.size}`;
    this.#ids.set(thing, id);
    return id;
  }

  #node(thing: object, label: string, shape: string): void {
    this.lines.push(`${this.#idOf(thing)} [label=${JSON.stringify(label)}, shape=${shape}];`);
  }

  #edge(variable: Variable, target: object): void {
    const { owner } = variable;
    const label =
      owner === null ? '' : ` [label=${JSON.stringify(`${this.#nameOf(variable)}\n${formatType(variable.type)}`)}]`;
    this.lines.push(`${this.#idOf(owner ?? variable)} -> ${this.#idOf(target)}${label};`);
  }

  #frame(label: string, draw: () => void): void {
    this.#frames += 1;
    this.lines.push(`subgraph cluster_${this.#frames} {`, `label=${JSON.stringify(label)};`);
    draw();
    this.lines.push('}');
  }
}
