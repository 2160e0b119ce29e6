import type { Apply } from './apply.js';
import { Origin } from './origin.js';
import { Tag } from './tag.js';
import { formatType, type TensorType } from './tensor-type.js';

/** Node asks objects by it what is to be shown of them. */
const INSPECTED = Symbol.for('nodejs.util.inspect.custom');

/** A node of the graph that stands for a tensor: an input, a constant, a shared variable, or a result of an op. */
export class Variable {
  readonly type: TensorType;
  /** The application that computes it; null for inputs, constants and shared variables. */
  readonly owner: Apply | null;
  /** Which of the owner's outputs it is; 0 when there is no owner. */
  readonly index: number;
  /** For people, and for matching inputs with the sources of a stream. Need not be unique. */
  name: string | undefined;
  readonly tag = new Tag();
  /** Of one that no application computes. */
  readonly #origin: Origin | undefined;

  constructor(
    type: TensorType,
    options: { readonly name?: string; readonly owner?: Apply; readonly index?: number } = {},
  ) {
    this.type = type;
    this.owner = options.owner ?? null;
    this.index = options.index ?? 0;
    this.name = options.name;
    this.#origin = this.owner === null ? new Origin() : undefined;
  }

  /** Where in the program it was made: `/home/ann/model.js:12:15`; undefined where the library made it for itself. */
  get madeAt(): string | undefined {
    return (this.owner?.origin ?? this.#origin)?.place;
  }

  get dtype(): TensorType['dtype'] {
    return this.type.dtype;
  }

  /** The static shape: a name or null where only the data tell. */
  get shape(): TensorType['shape'] {
    return this.type.shape;
  }

  get ndim(): number {
    return this.type.shape.length;
  }

  /** Takes the name, the entries of the tag and the origin of the variable that this one stands for. */
  takeOver(old: Variable): void {
    if (this.owner !== null && old.owner !== null) this.owner.origin = old.owner.origin;
    this.name = old.name;
    this.tag.assign(old.tag);
  }

  /** What `console.log` shows: `linear_output: float32 (batch, 500) = add(dot.0, b)`. */
  [INSPECTED](): string {
    const { owner } = this;
    const made = owner === null ? '' : ` = ${owner.op.name}(${owner.inputs.map(String).join(', ')})`;
    return `${this.toString()}: ${formatType(this.type)}${made}${this.shownValue()}`;
  }

  /** What is shown of its value behind the type; nothing where it has none. */
  protected shownValue(): string {
    return '';
  }

  /** `x`, or `dot.0` when it has no name. */
  toString(): string {
    if (this.name !== undefined) return this.name;
    if (this.owner !== null) return `${this.owner.op.name}.${this.index}`;
    return '<unnamed>';
  }
}

/** ``x` float32 (batch, 784) made at /home/ann/model.js:12:15``: how error messages name a variable. */
export function describe(variable: Variable): string {
  const { madeAt } = variable;
  return `\`${variable.toString()}\` ${formatType(variable.type)}${madeAt === undefined ? '' : ` made at ${madeAt}`}`;
}
