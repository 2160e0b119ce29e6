import type { NdArray } from '@longrun/serialization';

import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { Op, OpParameter } from '../graph/op.js';
import type { Part } from '../graph/origin.js';
import { SharedVariable } from '../graph/shared-variable.js';
import { isKnown, type TensorType } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { isWatched } from '../inspection/tap.js';
import { isOwnOp } from '../ops/own-ops.js';

/** A graph of which no text tells all that there is to know of it. */
export class Untold extends Error {
  override readonly name = 'Untold';
}

/**
 * A graph in words: those of two graphs are equal exactly where rewriting, kernels, engines and their errors cannot tell them apart. Variables are
 * numbered in the order in which they are come to, from the inputs on. Values of shared variables, and the places in a program where things were
 * made, are not in it.
 */
export class GraphText {
  /** What there is to hash. */
  readonly words: (string | Uint8Array)[] = [];
  readonly #numbers = new Map<Variable, number>();
  /** Those with a graph of their own, which two applications may share. */
  readonly #ops = new Map<Op, number>();
  readonly #parts = new Map<Part | undefined, string>([[undefined, '']]);

  /** @throws Untold with the reason, a sentence without its full stop */
  constructor(inputs: readonly Variable[], outputs: readonly Variable[]) {
    for (const input of inputs) {
      if (input.owner !== null) throw new Untold(`${input.toString()} is given in place of what computes it`);
      this.#declare('input', input);
    }
    for (const node of toposort(outputs, { blockers: inputs, inside: true })) this.#tell(node);
    this.words.push(this.numbersOf(outputs));
  }

  /** All variables, by their numbers. */
  get variables(): readonly Variable[] {
    return [...this.#numbers.keys()];
  }

  numberOf(variable: Variable): number {
    return this.#numbers.get(variable) ?? this.#declareLeaf(variable);
  }

  numbersOf(variables: readonly Variable[]): string {
    return variables.map((variable) => this.numberOf(variable)).join();
  }

  #declareLeaf(variable: Variable): number {
    if (variable instanceof SharedVariable) return this.#declare('shared', variable);
    if (!(variable instanceof Constant)) return this.#declare('free', variable);
    const number = this.#declare('constant', variable);
    this.words.push(bytesOf(variable.value));
    return number;
  }

  #declare(kind: string, variable: Variable): number {
    const number = this.#numbers.size;
    this.#numbers.set(variable, number);
    this.words.push(`${kind} ${number} ${described(variable)}`);
    return number;
  }

  #tell({ op, inputs, outputs, origin }: Apply): void {
    const [applied, given] = [this.#opText(op), this.numbersOf(inputs)];
    const made = outputs.map((output) => {
      const number = this.#numbers.get(output) ?? this.#numbers.size;
      this.#numbers.set(output, number);
      return `${number} ${described(output)}`;
    });
    this.words.push(`${applied}(${given}) ${made.join()} ${this.#partOf(origin.part)}`);
  }

  #opText(op: Op): string {
    const known = this.#ops.get(op);
    if (known !== undefined) return `op ${known}`;
    if (!isOwnOp(op)) throw new Untold(`${op.name} is an op of the program, of which it is not known what it does`);
    const { name, parameters, inner } = op;
    const text = `${name}{${Object.entries(parameters).map(([key, value]) => `${key}=${parameterText(value)}`)}}`;
    if (inner === undefined) return text;
    this.#ops.set(op, this.#ops.size);
    return `${text}[${this.numbersOf(inner.inputs)}][${this.numbersOf(inner.outputs)}]`;
  }

  #partOf(part: Part | undefined): string {
    const known = this.#parts.get(part) ?? JSON.stringify(part?.());
    this.#parts.set(part, known);
    return known;
  }
}

/** Type, name, and what rewriting asks of a tag. */
function described(variable: Variable): string {
  const name = variable.name === undefined ? '' : JSON.stringify(variable.name);
  const tag = variable.tag.isEmpty ? '' : isWatched(variable) ? ' watched' : ' tagged';
  return `${typeText(variable.type)}${name}${tag}`;
}

function typeText({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape.map((dim) => (isKnown(dim) ? dim : JSON.stringify(dim))).join()}]`;
}

function parameterText(parameter: OpParameter): string {
  if (typeof parameter === 'number') return Object.is(parameter, -0) ? '-0' : String(parameter);
  return parameter instanceof Array ? `[${parameter.map(parameterText).join()}]` : JSON.stringify(parameter);
}

function bytesOf({ data }: NdArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
