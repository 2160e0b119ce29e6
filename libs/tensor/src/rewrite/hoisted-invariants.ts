import { at } from '../arrays/at.js';
import { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { rebuild } from '../graph/rebuild.js';
import { Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { scanInputs } from '../ops/scan-inputs.js';
import { isFusedByEngines, isProduct } from './fused-by-engines.js';
import { oneOfOps, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { scanOf } from './scan-of.js';

/** What each step of a scan computes in the same way, computed once before it; but for what an engine may fuse with a product beside it. */
export const hoistedInvariants: Rewrite = {
  name: 'hoisting out of a scan',
  pattern: oneOfOps('scan'),
  check(match) {
    const { all, hoisted } = invariants(match);
    return hoisted.length === 0 && all.length > 0
      ? 'an engine may fuse what is the same in all steps with a product, or place it'
      : undefined;
  },
  replacement: (match) => withHoisted(match, invariants(match).hoisted),
};

/** The same of products, and of what goes into them: an engine may fuse other things then, with other last bits. */
export const hoistedProducts: Rewrite = {
  name: 'hoisting of products out of a scan',
  pattern: oneOfOps('scan'),
  replacement: (match) => withHoisted(match, invariants(match).all),
};

/** What a step computes of what is the same in all, and what of it may be taken out without changing bits; of each the last of it alone. */
function invariants({ node }: Match): { readonly all: readonly Variable[]; readonly hoisted: readonly Variable[] } {
  const { inner, parameters } = scanOf(node);
  const order = toposort(inner.outputs, { blockers: inner.inputs });
  const same = new Set(scanInputs(inner.inputs, parameters).constants);
  const found = new Set<Variable>();
  const isSame = (variable: Variable): boolean =>
    variable instanceof Constant || same.has(variable) || found.has(variable);
  for (const one of order) {
    // What is made of constants alone is folded, or outside already.
    if (!one.inputs.every(isSame) || one.inputs.every((input) => input instanceof Constant)) continue;
    if (one.op.name.startsWith('random')) continue;
    for (const output of one.outputs) found.add(output);
  }
  const outer = order.filter((one) => !one.outputs.every((output) => found.has(output)));
  const ends = new Set([...outer.flatMap((one) => one.inputs), ...inner.outputs].filter((one) => found.has(one)));
  const nearProduct = new Set(outer.filter((one) => one.outputs.some(isProduct)).flatMap((one) => one.inputs));
  // What steps give is written into the array of all steps: where an array lies, engines sum by.
  const isKept = (variable: Variable): boolean =>
    nearProduct.has(variable) || inner.outputs.includes(variable) || isFusedByEngines(variable);
  return { all: [...ends], hoisted: [...ends].filter((end) => !isKept(end)) };
}

function withHoisted({ node }: Match, hoisted: readonly Variable[]): readonly Variable[] | undefined {
  if (hoisted.length === 0) return undefined;
  const { inner, parameters } = scanOf(node);
  const inside = scanInputs(inner.inputs, parameters).constants;
  const outside = scanInputs(node.inputs.slice(1), parameters).constants;
  const before = new Map(inside.map((input, position) => [input, at(outside, position)]));
  const { outputs: given } = rebuild(hoisted, () => undefined, { replacements: before });
  const stands = hoisted.map(({ type, name }) => new Variable(type, name === undefined ? {} : { name }));
  const replacements = new Map(hoisted.map((variable, position) => [variable, at(stands, position)]));
  const { outputs } = rebuild(inner.outputs, () => undefined, { replacements });
  const op = inner.opOf({ inputs: [...inner.inputs, ...stands], outputs });
  return new Apply(op, [...node.inputs, ...given]).outputs;
}
