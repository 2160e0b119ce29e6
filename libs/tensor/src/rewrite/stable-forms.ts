import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { formatOp } from '../graph/op.js';
import { rebuild } from '../graph/rebuild.js';
import { isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { add } from '../ops/add.js';
import { dimshuffle } from '../ops/dimshuffle.js';
import { div } from '../ops/div.js';
import { fill } from '../ops/fill.js';
import { logSoftmax } from '../ops/log-softmax.js';
import { logistic } from '../ops/logistic.js';
import { mul } from '../ops/mul.js';
import { neg } from '../ops/neg.js';
import type { OpName } from '../ops/op-name.js';
import { pick } from '../ops/pick.js';
import { softplus } from '../ops/softplus.js';

/**
 * The same outputs in forms that neither overflow nor lose what is small, as Theano's rewrites: `log(softmax(x))`, also of the picked
 * elements, `log(sigmoid(x))`, `1 - sigmoid(x)` and `log(1 - sigmoid(x))`. In their gradients, the division by what underflows is
 * taken back where it is multiplied with again.
 *
 * @param inputs whose values are given: what computes them is not looked at.
 */
export function stableForms(outputs: readonly Variable[], inputs: readonly Variable[]): Variable[] {
  const forms = new StableForms(inputs);
  const replacements = new Map(inputs.map((input) => [input, input]));
  return rebuild(outputs, (node) => forms.of(node), { replacements }).outputs;
}

/**
 * How many applications back a division or a difference is looked for. Gradients have theirs next to where it is taken back; looking
 * on would cost a time exponential in the depth of graphs that share much.
 */
const REACH = 6;

class StableForms {
  readonly #inputs: ReadonlySet<Variable>;

  constructor(inputs: readonly Variable[]) {
    this.#inputs = new Set(inputs);
  }

  of(node: Apply): readonly Variable[] | undefined {
    const form = this.#formOf(node);
    return form === undefined ? undefined : [form];
  }

  #formOf(node: Apply): Variable | undefined {
    switch (node.op.name) {
      case 'log':
        return this.#log(at(node.inputs, 0));
      case 'sub':
        return this.#difference(at(node.inputs, 0), at(node.inputs, 1));
      case 'mul':
        return this.#product(node, 0, 1) ?? this.#product(node, 1, 0);
      default:
        return undefined;
    }
  }

  #log(x: Variable): Variable | undefined {
    const [a, labels] = [this.#match('softmax', x), this.#match('pick', x)];
    if (a !== undefined) return logSoftmax(at(a, 0));
    const picked = labels === undefined ? undefined : this.#match('softmax', at(labels, 0));
    if (labels !== undefined && picked !== undefined) return pick(logSoftmax(at(picked, 0)), at(labels, 1));
    const sigmoid = this.#match('logistic', x);
    return sigmoid === undefined ? undefined : neg(softplus(this.#negative(at(sigmoid, 0))));
  }

  #difference(one: Variable, x: Variable): Variable | undefined {
    const sigmoid = this.#match('logistic', x);
    const isOne = one instanceof Constant && one.ndim === 0 && one.toNumber() === 1;
    return sigmoid === undefined || !isOne ? undefined : logistic(this.#negative(at(sigmoid, 0)));
  }

  /** `(a / s) * s` for a softmax or a sigmoid s, which may be 0 only by underflow. */
  #product(node: Apply, factor: number, positive: number): Variable | undefined {
    const [u, s] = [at(node.inputs, factor), at(node.inputs, positive)];
    if (this.#match('softmax', s) === undefined && this.#match('logistic', s) === undefined) return undefined;
    const { shape } = node.output;
    if (!hasShape(s, shape)) return undefined;
    const product = this.#undivided(u, s);
    if (product === undefined) return undefined;
    return hasShape(product, shape) ? product : fill(s, product);
  }

  /** `u * s` without the divisions by `s` in `u`; undefined where there are none. */
  #undivided(u: Variable, s: Variable, reach = REACH): Variable | undefined {
    if (reach === 0) return undefined;
    const sum = this.#match('add', u);
    if (sum === undefined) return this.#withoutDivisor(u, (divisor) => this.#same(divisor, s)) ?? this.#ofPicked(u, s);
    const [a, b] = [at(sum, 0), at(sum, 1)];
    const [first, second] = [this.#undivided(a, s, reach - 1), this.#undivided(b, s, reach - 1)];
    return first === undefined && second === undefined ? undefined : add(first ?? mul(a, s), second ?? mul(b, s));
  }

  /** The gradient of an element that was picked from the rows of s, spread over its row, times s. */
  #ofPicked(u: Variable, s: Variable): Variable | undefined {
    const [hot, column] = this.#match('mul', u) ?? [];
    if (hot === undefined || column === undefined) return undefined;
    const uncast = this.#match('cast', hot);
    const labels = this.#match('oneHot', uncast === undefined ? hot : at(uncast, 0))?.[0];
    const picked = this.#match('dimshuffle', column)?.[0];
    if (labels === undefined || picked === undefined) return undefined;
    const undivided = this.#withoutDivisor(picked, (divisor) => {
      const [from, by] = this.#match('pick', divisor) ?? [];
      return from !== undefined && by !== undefined && this.#same(from, s) && this.#same(by, labels);
    });
    if (undivided === undefined || !hasShape(undivided, picked.shape)) return undefined;
    return mul(hot, dimshuffle(undivided, [...undivided.shape.map((_, axis) => axis), 'x']));
  }

  /** A product without one division by what is a divisor; undefined where it has none. */
  #withoutDivisor(product: Variable, isDivisor: (variable: Variable) => boolean, reach = REACH): Variable | undefined {
    if (reach === 0) return undefined;
    const quotient = this.#match('div', product);
    if (quotient !== undefined) {
      const [a, b] = [at(quotient, 0), at(quotient, 1)];
      if (isDivisor(b)) return a;
      const rest = this.#withoutDivisor(a, isDivisor, reach - 1);
      return rest === undefined ? undefined : div(rest, b);
    }
    const negated = this.#match('neg', product);
    if (negated !== undefined) {
      const rest = this.#withoutDivisor(at(negated, 0), isDivisor, reach - 1);
      return rest === undefined ? undefined : neg(rest);
    }
    const factors = this.#match('mul', product);
    if (factors === undefined) return undefined;
    const [a, b] = [at(factors, 0), at(factors, 1)];
    const first = this.#withoutDivisor(a, isDivisor, reach - 1);
    if (first !== undefined) return mul(first, b);
    const second = this.#withoutDivisor(b, isDivisor, reach - 1);
    return second === undefined ? undefined : mul(a, second);
  }

  #negative(x: Variable): Variable {
    return this.#match('neg', x)?.[0] ?? neg(x);
  }

  /** The inputs of the op of that name that computes `variable`, seen through identities. */
  #match(name: OpName, variable: Variable): readonly Variable[] | undefined {
    const node = this.#ownerOf(this.#seenThrough(variable));
    return node?.op.name === name ? node.inputs : undefined;
  }

  #seenThrough(variable: Variable): Variable {
    const owner = this.#ownerOf(variable);
    return owner?.op.name === 'identity' || owner?.op.name === 'stopGradient'
      ? this.#seenThrough(at(owner.inputs, 0))
      : variable;
  }

  #ownerOf(variable: Variable): Apply | null {
    return this.#inputs.has(variable) ? null : variable.owner;
  }

  /** Whether two variables are the same or are computed alike, as far as a few steps back tell. */
  #same(first: Variable, second: Variable, reach = REACH): boolean {
    const [a, b] = [this.#seenThrough(first), this.#seenThrough(second)];
    if (a === b) return true;
    if (a instanceof Constant && b instanceof Constant) {
      return a.ndim === 0 && b.ndim === 0 && a.dtype === b.dtype && a.toNumber() === b.toNumber();
    }
    const [one, other] = [this.#ownerOf(a), this.#ownerOf(b)];
    if (one === null || other === null || reach === 0) return false;
    return (
      // Of inner graphs, names and parameters do not tell them apart.
      one.op.inner === undefined &&
      other.op.inner === undefined &&
      formatOp(one.op) === formatOp(other.op) &&
      a.index === b.index &&
      one.inputs.length === other.inputs.length &&
      one.inputs.every((input, position) => this.#same(input, at(other.inputs, position), reach - 1))
    );
  }
}

/** Equal sizes, where one that is not known is equal to another: neither is a 1 that would be broadcast. */
function hasShape(variable: Variable, shape: Variable['shape']): boolean {
  return (
    variable.ndim === shape.length &&
    variable.shape.every((dim, axis) => (isKnown(dim) ? dim === shape[axis] : !isKnown(shape[axis])))
  );
}
