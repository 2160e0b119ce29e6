import type { Apply } from '../../graph/apply.js';
import { Constant } from '../../graph/constant.js';
import type { Variable } from '../../graph/variable.js';
import { MOVING, PRODUCTS } from '../../rewrite/fused-by-engines.js';
import type { FusionRules } from '../engine.js';

/**
 * Why the optimizer of ONNX Runtime may compute an elementwise op together with what is beside it, which gives other last bits; undefined
 * where it does not: the engine's `fusion.rewrites`.
 */
export function rewritten(node: Apply, isOfConstants: IsOfConstants): string | undefined {
  return new Optimizer(isOfConstants).taking(node);
}

type IsOfConstants = Parameters<FusionRules['rewrites']>[1];

/** What the optimizer sees of a graph. */
class Optimizer {
  readonly #isOfConstants: IsOfConstants;

  constructor(isOfConstants: IsOfConstants) {
    this.#isOfConstants = isOfConstants;
  }

  /** Why it may take an application. */
  taking({ op, inputs }: Apply): string | undefined {
    // MatMul and Add become Gemm, MatMul and any number of Mul and Div by constants FusedMatMul.
    const product =
      op.name === 'add' ? inputs.map((input) => this.#product(input)).find(Boolean) : this.#scaled(op.name, inputs);
    if (product !== undefined) return `ONNX Runtime may make one op of it and ${product}`;
    if (this.#addsZero(op.name, inputs) || inputs.some(({ owner }) => this.#addsZero(owner?.op.name, owner?.inputs)))
      return 'ONNX Runtime leaves out additions of 0';
    if (op.name === 'mul' && inputs.some((input) => this.#isReciprocal(input)))
      return 'ONNX Runtime divides where 1 / x is multiplied with';
    const levels = LEVELS_OF_GELU.get(op.name);
    if (levels !== undefined && inputs.some((input) => this.#isOfErf(input, levels)))
      return 'ONNX Runtime may make a Gelu of it';
    const condition = String(inputs[0]?.owner?.op.name);
    if (op.name === 'where' && (condition === 'not' || condition === 'neq')) {
      return 'ONNX Runtime exchanges what there is to choose between';
    }
    return undefined;
  }

  #addsZero(name: string | undefined, inputs: readonly Variable[] = []): boolean {
    return name === 'add' && inputs.some((input) => this.#mayBe(0, input));
  }

  #isReciprocal(variable: Variable): boolean {
    const { owner } = this.#behind(variable);
    const dividend = owner?.op.name === 'div' ? owner.inputs[0] : undefined;
    return dividend !== undefined && this.#mayBe(1, dividend);
  }

  /** Whether it is `erf`, or sums and products of it, one in the other up to so many times. */
  #isOfErf(variable: Variable, levels: number): boolean {
    const { owner } = this.#behind(variable);
    if (owner === null || owner.op.name === 'erf') return owner !== null;
    const isWithin = levels > 0 && LEVELS_OF_GELU.has(owner.op.name);
    return isWithin && owner.inputs.some((input) => this.#isOfErf(input, levels - 1));
  }

  /** Name of the product that a variable is, or is but for its scale. */
  #product(variable: Variable): string | undefined {
    const { owner } = this.#behind(variable);
    if (owner === null) return undefined;
    return PRODUCTS.has(owner.op.name) ? owner.op.name : this.#scaled(owner.op.name, owner.inputs);
  }

  /** Name of the product that is multiplied with a constant, or divided. */
  #scaled(name: string, inputs: readonly Variable[]): string | undefined {
    if (name !== 'mul' && name !== 'div') return undefined;
    const factor = inputs.find((input) => !this.#isOfConstants(input));
    const isScaled = factor !== undefined && inputs.some((input) => this.#isOfConstants(input));
    return isScaled ? this.#product(factor) : undefined;
  }

  /** What a variable is once all is left out that may change nothing. */
  #behind(variable: Variable): Variable {
    let found = variable;
    for (let next = this.#skipped(found); next !== undefined; next = this.#skipped(found)) found = next;
    return found;
  }

  /** What an application may give as it is, which is then as if it were not there; undefined where that cannot be. */
  #skipped({ owner }: Variable): Variable | undefined {
    if (owner === null) return undefined;
    const [first, second] = owner.inputs;
    if (MOVING.has(owner.op.name)) return first;
    const neutral = NEUTRAL.get(owner.op.name);
    if (neutral === undefined || first === undefined || second === undefined) return undefined;
    if (this.#mayBe(neutral, second)) return first;
    return COMMUTE.has(owner.op.name) && this.#mayBe(neutral, first) ? second : undefined;
  }

  /** Whether it may be found to be `value` before a run, as what is computed of constants may. */
  #mayBe(value: number, variable: Variable): boolean {
    if (!(variable instanceof Constant)) return this.#isOfConstants(variable);
    return variable.value.data.every((element) => Number(element) === value);
  }
}

/** How far below `erf` may be in the formula of a Gelu, whose product with 0.5 is outside or inside: `x * (1 + erf(x / sqrt(2))) * 0.5`. */
const LEVELS_OF_GELU: ReadonlyMap<string, number> = new Map([
  ['add', 0],
  ['mul', 2],
]);

/** With which second operand an op gives the first one. */
const NEUTRAL: ReadonlyMap<string, number> = new Map([
  ['add', 0],
  ['sub', 0],
  ['mul', 1],
  ['div', 1],
]);

const COMMUTE: ReadonlySet<string> = new Set(['add', 'mul']);
