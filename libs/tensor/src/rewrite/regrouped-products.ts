import { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import type { InnerGraph } from '../graph/op.js';
import { Rebuilding } from '../graph/rebuild.js';
import { formatShape } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { mul } from '../ops/mul.js';
import { scanInputs, type ScanParameters } from '../ops/scan-inputs.js';
import { elementwiseOfRows } from './lifted-elementwise.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { scanOf } from './scan-of.js';
import { usesInside } from './uses-inside.js';

/**
 * Products in steps of a scan, as the chain rule has them: what is made of sequences alone is multiplied first, so that it can be computed before the scan.
 * They are rounded elsewhere.
 */
export const regroupedProducts: Rewrite = {
  name: 'products regrouped for a scan',
  pattern: oneOfOps('scan'),
  replacement({ node }) {
    const { inner, parameters } = scanOf(node);
    const products = regrouped(inner, parameters);
    if (products.size === 0) return undefined;
    const rebuilding = new Rebuilding((_node, { output }) => {
      const product = products.get(output);
      return product === undefined ? undefined : [mul(standIn(product.rest), standIn(product.ofRows))];
    });
    const standIn = (factors: readonly Variable[]): Variable =>
      factors.map((factor) => rebuilding.standIn(factor)).reduce((product, factor) => mul(product, factor));
    rebuilding.extend(inner.outputs);
    const outputs = inner.outputs.map((output) => rebuilding.standIn(output));
    return new Apply(inner.opOf({ inputs: inner.inputs, outputs }), node.inputs).outputs;
  },
};

/** Factors by whether they are made of sequences alone. */
interface Product {
  readonly rest: readonly Variable[];
  readonly ofRows: readonly Variable[];
}

/** The products of several factors of which some are made of sequences alone, and of one at least that is not. */
function regrouped(inner: InnerGraph, parameters: ScanParameters): ReadonlyMap<Variable, Product> {
  const order = toposort(inner.outputs, { blockers: inner.inputs });
  const { sequences, constants } = scanInputs(inner.inputs, parameters);
  const [ofRows, same] = [new Set<Variable>(sequences), new Set<Variable>(constants)];
  const isSame = (variable: Variable): boolean => variable instanceof Constant || same.has(variable);
  for (const node of order) {
    if (!node.inputs.every((input) => isSame(input) || ofRows.has(input)) || node.inputs.every(isSame)) continue;
    if (elementwiseOfRows(node, (input) => ofRows.has(input)) !== undefined) ofRows.add(node.output);
  }
  const found = new Map<Variable, Product>();
  const uses = usesInside(order, inner);
  const isWithin = (variable: Variable, product: Variable): boolean =>
    variable.owner?.op.name === 'mul' &&
    !ofRows.has(variable) &&
    uses.get(variable) === 1 &&
    formatShape(variable.shape) === formatShape(product.shape);
  const within = new Set<Variable>();
  for (const { op, output } of order.toReversed()) {
    if (op.name !== 'mul' || ofRows.has(output) || within.has(output)) continue;
    const factors: Variable[] = [];
    const waiting = [output];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next === output || isWithin(next, output)) {
        if (next !== output) within.add(next);
        waiting.push(...(next.owner?.inputs ?? []).toReversed());
      } else factors.push(next);
    }
    const isLarge = ({ shape }: Variable): boolean => formatShape(shape) === formatShape(output.shape);
    const rest = factors.filter((factor) => !ofRows.has(factor));
    const rows = factors.filter((factor) => ofRows.has(factor));
    // The product of small ones might be larger than either, and would not be computed before the scan.
    if (rest.length === 0 || rows.length < 2 || !rows.some(isLarge)) continue;
    found.set(output, { rest, ofRows: [...rows.filter(isLarge), ...rows.filter((row) => !isLarge(row))] });
  }
  return found;
}
