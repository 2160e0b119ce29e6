import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { equalOps } from '../graph/equal.js';
import type { Variable } from '../graph/variable.js';

/** Applications by what they do: equal ops on the same operands, constants of the same value among them, are twins. */
export class Twins {
  readonly #nodes = new Map<string, Apply[]>();
  readonly #numbers = new Map<Variable, number>();
  readonly #constants = new Map<string, number>();
  #count = 0;
  #last: { readonly node: Apply; readonly key: string } | undefined;

  /** The first one that was added and does the same; undefined where none does. */
  of(node: Apply): Apply | undefined {
    const twin = this.#nodes.get(this.#keyOf(node))?.find((other) => equalOps(other.op, node.op));
    return twin === node ? undefined : twin;
  }

  add(node: Apply): void {
    const key = this.#keyOf(node);
    const alike = this.#nodes.get(key);
    if (alike === undefined) this.#nodes.set(key, [node]);
    else if (!alike.includes(node)) alike.push(node);
  }

  /** One application is asked for several times on end. */
  #keyOf(node: Apply): string {
    if (this.#last?.node !== node) {
      const numbers = node.inputs.map((input) => this.#numberOf(input));
      this.#last = { node, key: `${node.op.name} ${numbers.join()}` };
    }
    return this.#last.key;
  }

  #numberOf(variable: Variable): number {
    const known = this.#numbers.get(variable);
    if (known !== undefined) return known;
    const key = variable instanceof Constant ? valueKey(variable) : undefined;
    const number = (key === undefined ? undefined : this.#constants.get(key)) ?? (this.#count += 1);
    if (key !== undefined) this.#constants.set(key, number);
    this.#numbers.set(variable, number);
    return number;
  }
}

/** Elements that are looked at: large constants are the same where they are one variable. */
const MOST_ELEMENTS = 64;

function valueKey({ value: { dtype, shape, data } }: Constant): string | undefined {
  if (data.length > MOST_ELEMENTS) return undefined;
  // A NaN may have any bits.
  if (data.some((element: number | bigint) => Number.isNaN(element))) return undefined;
  const elements = Array.from<number | bigint>(data).map((element) =>
    Object.is(element, -0) ? '-0' : String(element),
  );
  return `${dtype} (${shape.join()}) ${elements.join()}`;
}
