import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import { formatShape, isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { add } from '../ops/add.js';
import { dimension, elementCount } from '../ops/dimension.js';
import { transpose } from '../ops/dimshuffle.js';
import { dot } from '../ops/dot.js';
import { restoreAxes } from '../ops/reduction.js';
import { reshape } from '../ops/reshape.js';
import { scanInputs, type ScanParameters } from '../ops/scan-inputs.js';
import { scanOp } from '../ops/scan-op.js';
import { sum } from '../ops/sum.js';
import type { InnerGraph } from '../graph/op.js';
import { isZeros } from './zeros.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { scanOf } from './scan-of.js';
import { ofTransposed } from './transposed.js';
import type { View } from './view.js';
import { usesInside } from './uses-inside.js';

/**
 * Products that a scan adds up from step to step, as the gradients of its matrices are, as one product of the rows of all steps after it; likewise sums
 * over rows that are collected. The sums are made in another order. Theano's `push_out_dot1`.
 */
export const sumsAfterScan: Rewrite = {
  name: 'sums after a scan',
  pattern: oneOfOps('scan'),
  replacement({ node, view }) {
    const { inner, parameters } = scanOf(node);
    const found = totalsOf(inner, parameters, view);
    if (found.size === 0) return undefined;
    const outside = scanInputs(node.inputs.slice(1), parameters);
    const inside = scanInputs(inner.inputs, parameters);
    const isKept = (_: unknown, position: number): boolean => !found.has(position);
    const collected = inner.outputs.slice(parameters.states);
    const backwardOutputs = [...parameters.backwardOutputs];
    /** Where the rows of a variable are, which are added to what is collected. */
    const placeOf = (variable: Variable, backward: boolean): number => {
      const known = collected.findIndex((one, k) => one === variable && backwardOutputs[k] === backward);
      if (known >= 0) return known;
      backwardOutputs.push(backward);
      return collected.push(variable) - 1;
    };
    const directionOf = (variable: Variable): boolean | undefined => {
      const position = inside.sequences.indexOf(variable);
      return position < 0 ? undefined : parameters.backwardInputs[position];
    };
    const places = new Map<Variable, number>();
    for (const { rows, backward } of found.values()) {
      for (const variable of rows)
        if (directionOf(variable) === undefined) places.set(variable, placeOf(variable, backward));
    }
    const states = parameters.states - found.size;
    const again = new Apply(
      scanOp(
        {
          inputs: [...inside.sequences, ...inside.states.filter(isKept), ...inside.constants],
          outputs: [...inner.outputs.slice(0, parameters.states).filter(isKept), ...collected],
        },
        { ...parameters, states, backwardOutputs },
      ),
      [at(node.inputs, 0), ...outside.sequences, ...outside.states.filter(isKept), ...outside.constants],
    );
    const allOf = (variable: Variable): Variable => {
      const place = places.get(variable);
      return place === undefined
        ? at(outside.sequences, inside.sequences.indexOf(variable))
        : again.outputAt(states + place);
    };
    let state = -1;
    return node.outputs.map((_, position) => {
      const total = found.get(position);
      if (total !== undefined) {
        const [first, all] = [at(outside.states, position), total.of(total.rows.map(allOf))];
        return isZeros(first, view) ? all : add(first, all);
      }
      if (position < parameters.states) return again.outputAt((state += 1));
      return again.outputAt(states + position - parameters.states);
    });
  },
};

/** What a state of a scan is a sum of. */
interface Total {
  /** Of each step. */
  readonly rows: readonly Variable[];
  /** In which order the rows of all steps are. */
  readonly backward: boolean;
  /** The sum, given the rows of all steps. */
  of(all: readonly Variable[]): Variable;
}

/** The states that are sums over all steps, and of what, by their positions. */
function totalsOf(inner: InnerGraph, parameters: ScanParameters, view: View): ReadonlyMap<number, Total> {
  const { sequences, states } = scanInputs(inner.inputs, parameters);
  const uses = usesInside(toposort(inner.outputs, { blockers: inner.inputs }), inner);
  const directions = new Map<Variable, boolean>();
  for (const [position, variable] of inner.outputs.slice(parameters.states).entries())
    directions.set(variable, at(parameters.backwardOutputs, position));
  for (const [position, variable] of sequences.entries())
    directions.set(variable, at(parameters.backwardInputs, position));
  const addends = new Map<number, Variable>();
  for (const [position, state] of states.entries()) {
    const next = at(inner.outputs, position);
    const operands = next.owner?.op.name === 'add' ? next.owner.inputs : [];
    const addend = operands.find((operand) => operand !== state);
    const isSum = operands.includes(state) && uses.get(state) === 1 && uses.get(next) === 1;
    if (isSum && addend !== undefined && formatShape(addend.shape) === formatShape(state.shape))
      addends.set(position, addend);
  }
  const found = new Map<number, Total>();
  for (const [position, addend] of addends) {
    const product = productOf(addend, directions, view);
    if (product === undefined) continue;
    found.set(position, product);
    for (const variable of product.rows) directions.set(variable, product.backward);
  }
  for (const [position, addend] of addends) {
    const total = sumOf(addend, directions);
    if (total !== undefined) found.set(position, total);
  }
  return found;
}

/** `directions`: of what there are the rows of all steps already. */
function productOf(addend: Variable, directions: ReadonlyMap<Variable, boolean>, view: View): Total | undefined {
  const [transposed, right] = view.operandsOf('dot', addend) ?? [];
  const left = transposed && ofTransposed(transposed, view);
  if (left === undefined || right?.ndim !== 2) return undefined;
  const [ofLeft, ofRight] = [directions.get(left), directions.get(right)];
  if (ofLeft !== undefined && ofRight !== undefined && ofLeft !== ofRight) return undefined;
  const [rows, wide, high] = [left.shape[0], left.shape[1], right.shape[1]];
  if (isKnown(rows) && isKnown(wide) && isKnown(high)) {
    const stored = rows * ((ofLeft === undefined ? wide : 0) + (ofRight === undefined ? high : 0));
    if (stored > MOST_STORED * wide * high) return undefined;
  }
  return {
    rows: [left, right],
    backward: ofLeft ?? ofRight ?? false,
    of: (all) => dot(transpose(asMatrix(at(all, 0))), asMatrix(at(all, 1))),
  };
}

/** How many numbers each step stores for each of the sum that it would read and write. */
const MOST_STORED = 2;

/** (steps, rows, columns) as (steps · rows, columns). */
function asMatrix(rows: Variable): Variable {
  return reshape(rows, [elementCount(rows, [0, 1]), dimension(rows, 2)]);
}

function sumOf({ owner }: Variable, directions: ReadonlyMap<Variable, boolean>): Total | undefined {
  const [x] = owner?.op.name === 'sum' ? owner.inputs : [];
  const axes = owner?.op.parameters['axis'];
  const backward = x && directions.get(x);
  if (x === undefined || backward === undefined || !Array.isArray(axes)) return undefined;
  const own = axes.map(Number);
  const keepdims = owner?.op.parameters['keepdims'] === true;
  return {
    rows: [x],
    backward,
    of(all) {
      const total = sum(at(all, 0), { axis: [0, ...own.map((axis) => axis + 1)] });
      return keepdims ? restoreAxes(total, x.ndim, own) : total;
    },
  };
}
