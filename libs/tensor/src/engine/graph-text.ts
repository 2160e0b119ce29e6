import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { Op, OpParameter } from '../graph/op.js';
import type { Part } from '../graph/origin.js';
import { SharedVariable } from '../graph/shared-variable.js';
import { isKnown, type TensorType } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { isWatched } from '../inspection/tap.js';
import { isOwnOp } from '../ops/own-ops.js';

/** Of the constants of a graph that is told: more take their time to hash, and to read as a part of what is kept. */
export const MOST_BYTES = 16 * 2 ** 20;

/** A graph of which no text tells all that there is to know of it. */
export class Untold extends Error {
  override readonly name = 'Untold';
}

/**
 * A graph in words: those of two graphs are equal exactly where rewriting, kernels, engines and their errors cannot tell them apart. Variables are
 * numbered in the order in which they are come to, from the inputs on. Types of what ops give are not in it, as ops and operands decide on them, nor
 * are the values of shared variables, and the places in a program where things were made.
 */
export class GraphText {
  #text = '';
  /** Of large constants, in their order. */
  readonly #bytes: Uint8Array[] = [];
  #constantBytes = 0;
  readonly #numbers = new Map<Variable, number>();
  readonly #ops = new Map<Op, string>();
  readonly #parts = new Map<Part | undefined, string>([[undefined, '']]);

  /**
   * @param order all applications, those inside of others too, each after those it depends on
   * @throws Untold with the reason, a sentence without its full stop
   */
  constructor(inputs: readonly Variable[], order: readonly Apply[]) {
    for (const input of inputs) {
      if (input.owner !== null) throw new Untold(`${input.toString()} is given in place of what computes it`);
      this.#declare('input', input);
    }
    for (const node of order) this.#tell(node);
  }

  /** What there is to hash. */
  get words(): readonly (string | Uint8Array)[] {
    return [this.#text, ...this.#bytes];
  }

  /** All variables, by their numbers. */
  get variables(): readonly Variable[] {
    return [...this.#numbers.keys()];
  }

  /** Adds words of the caller's own. */
  add(words: string): void {
    this.#text += `${words}\n`;
  }

  /** The numbers of variables; what was not come to is from here on. */
  numbersOf(variables: readonly Variable[]): string {
    let numbers = '';
    for (const variable of variables) numbers += `${this.#numbers.get(variable) ?? this.#declareLeaf(variable)},`;
    return numbers;
  }

  #tell({ op, inputs, outputs, origin }: Apply): void {
    const applied = this.#ops.get(op) ?? this.#declareOp(op);
    const given = this.numbersOf(inputs);
    this.#text += `${applied}(${given})${this.#partOf(origin.part)}`;
    for (const output of outputs) {
      this.#numbers.set(output, this.#numbers.size);
      this.#text += ` ${labelOf(output)}`;
    }
    this.#text += '\n';
  }

  #declareLeaf(variable: Variable): number {
    if (variable.owner !== null) throw new Untold(`${variable.toString()} is no output of what computes it`);
    if (variable instanceof SharedVariable) return this.#declare('shared', variable);
    if (!(variable instanceof Constant)) return this.#declare('free', variable);
    const number = this.#declare('constant', variable);
    const { buffer, byteOffset, byteLength } = variable.value.data;
    this.#constantBytes += byteLength;
    if (this.#constantBytes > MOST_BYTES) throw new Untold(`its constants take more than ${MOST_BYTES} bytes`);
    if (byteLength > MOST_WRITTEN_BYTES) this.#bytes.push(new Uint8Array(buffer, byteOffset, byteLength));
    else this.#text += `${Buffer.from(buffer, byteOffset, byteLength).toString('latin1')}\n`;
    return number;
  }

  #declare(kind: string, variable: Variable): number {
    const number = this.#numbers.size;
    this.#numbers.set(variable, number);
    this.#text += `${kind} ${typeText(variable.type)}${labelOf(variable)}\n`;
    return number;
  }

  /** What stands for an op from here on: one with a graph inside is itself alone, as that graph is in all its applications. */
  #declareOp(op: Op): string {
    if (!isOwnOp(op)) throw new Untold(`${op.name} is an op of the program, of which it is not known what it does`);
    const { name, parameters, inner } = op;
    const keys = Object.keys(parameters);
    const text = keys.reduce((found, key) => `${found}${key}=${parameterText(parameters[key])};`, `${name} `);
    if (inner === undefined) {
      this.#ops.set(op, text);
      return text;
    }
    const own = `graph ${this.#ops.size}`;
    const [from, to] = [this.numbersOf(inner.inputs), this.numbersOf(inner.outputs)];
    this.#text += `${own} = ${text}(${from})(${to})\n`;
    this.#ops.set(op, own);
    return own;
  }

  #partOf(part: Part | undefined): string {
    const known = this.#parts.get(part) ?? JSON.stringify(part?.());
    this.#parts.set(part, known);
    return known;
  }
}

/** Larger constants are hashed as they are. */
const MOST_WRITTEN_BYTES = 64;

/** Its name, and what rewriting asks of its tag. */
function labelOf(variable: Variable): string {
  const { name, tag } = variable;
  const label = name === undefined ? '' : JSON.stringify(name);
  return tag.isEmpty ? label : `${label}${isWatched(variable) ? ' watched' : ' tagged'}`;
}

function typeText({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape.map((dim) => (isKnown(dim) ? dim : JSON.stringify(dim))).join()}]`;
}

function parameterText(parameter: OpParameter | undefined): string {
  if (typeof parameter === 'number') return Object.is(parameter, -0) ? '-0' : String(parameter);
  if (typeof parameter !== 'object' || parameter === null) return JSON.stringify(parameter);
  return `[${parameter.map(parameterText).join()}]`;
}
