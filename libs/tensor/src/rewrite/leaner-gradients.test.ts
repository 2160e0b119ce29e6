import { describe, expect, test } from 'vitest';

import {
  add,
  dimension,
  dot,
  exp,
  grad,
  logistic,
  mul,
  neg,
  scan,
  slice,
  split,
  square,
  sum,
  tanh,
  tensor,
  toposort,
  transpose,
  type Variable,
} from '../index.js';
import { Apply } from '../graph/apply.js';
import { scanOp } from '../ops/scan-op.js';
import { unslice } from '../ops/unslice.js';
import { constant } from '../graph/constant.js';
import { array, present, spread } from '../../test/op-laws.js';
import { expectRewrite, expectSameValues, expectUntouched, hard, opsOf } from '../../test/rewrite-tester.js';
import { joinedParts } from './joined-parts.js';
import { liftedElementwise } from './lifted-elementwise.js';
import { regroupedProducts } from './regrouped-products.js';
import type { Rewrite } from './rewrite.js';
import { rewritten } from './rewritten.js';
import { LEANER_GRADIENTS } from './rewrites.js';
import { STABLE_FORMS } from './stable-forms.js';
import { scansInOne } from './scans-in-one.js';
import { slopeOfSigmoid } from './slope-of-sigmoid.js';
import { sumsAfterScan } from './sums-after-scan.js';

const values = [
  { ...spreadOf(12, 4), shape: [6, 2, 4] },
  { ...spreadOf(2, 2), shape: [2, 2] },
  spreadOf(2, 4),
  { ...spreadOf(1, 4), shape: [4] },
];

function spreadOf(rows: number, columns: number): ReturnType<typeof array> {
  return array('float32', [rows, columns], [...spread([rows, columns], -1, 1).data].map(Number));
}

/** The inputs of a network whose types know all sizes, or none but those of its matrix. */
function inputsOf(isKnown: boolean): Variable[] {
  const [steps, batch] = isKnown ? [6, 2] : [null, null];
  return [
    tensor('x', 'float32', [steps, batch, 4]),
    tensor('first', 'float32', [batch, 2]),
    tensor('W', 'float32', [2, 4]),
    tensor('b', 'float32', [4]),
  ];
}

/** The gradients of a recurrent network whose gates are parts of one product, and those of its gradients. */
function gradients(inputs: readonly Variable[], order: 'first' | 'second', goBackwards = false): Variable[] {
  const [x, first, W, b] = inputs.map(present);
  const [states] = scan(
    (row, state) => {
      const [gate, next] = split(add(add(row, dot(present(state), present(W))), present(b)), [2, 2], 1);
      return add(mul(logistic(present(gate)), present(state)), tanh(present(next)));
    },
    { sequences: [present(x)], outputsInfo: [present(first)], goBackwards },
  );
  const found = grad(sum(square(present(states))), inputs);
  return order === 'first' ? [present(states), ...found] : grad(sum(square(present(found[2]))), inputs);
}

function scansOf(outputs: readonly Variable[]): ReturnType<typeof toposort> {
  return toposort(outputs).filter(({ op }) => op.name === 'scan');
}

function insideOf(outputs: readonly Variable[]): string[][] {
  return scansOf(outputs).map(({ op }) => opsOf(present(op.inner).outputs));
}

describe.each([true, false])('gradients of a recurrent network, sizes known: %s', (isKnown) => {
  const inputs = inputsOf(isKnown);
  const outputs = gradients(inputs, 'first');

  async function expectLeaner(rewrites: readonly Rewrite[], before: readonly Variable[]): Promise<Variable[]> {
    const { outputs: after, history } = rewritten(before, { inputs, stages: [rewrites] });
    expect(history.fired.get(present(rewrites[0]).name)).toBeGreaterThan(0);
    await expectSameValues(inputs, before, after, values, 64);
    return after;
  }

  test('have the products of the steps from the scan, which is made once', async () => {
    expect(scansOf(outputs)).toHaveLength(3);
    expect(
      insideOf(outputs)
        .at(-1)
        ?.filter((name) => name === 'dot'),
    ).toHaveLength(2);
    const after = await expectLeaner([scansInOne], outputs);
    expect(scansOf(after)).toHaveLength(2);
    expect(insideOf(after)[0]?.filter((name) => name === 'dot')).toHaveLength(1);
  });

  test('that are products are summed in one product after the scan', async () => {
    const after = await expectLeaner([sumsAfterScan], outputs);
    expect(
      insideOf(after)
        .at(-1)
        ?.filter((name) => name === 'dot'),
    ).toHaveLength(1);
    expect(present(after[3]).owner?.op.name).toBe('dot');
    expect(present(after[4]).owner?.op.name).toBe('sum');
  });

  test('are computed of the sequences before the scan, factors of what flows through it in one', async () => {
    const after = await expectLeaner(LEANER_GRADIENTS, outputs);
    const inside = present(insideOf(after).at(-1));
    expect(inside.filter((name) => ['logistic', 'neg', 'tanh', 'slice', 'square', 'sub'].includes(name))).toEqual([]);
    expect(inside.filter((name) => name === 'mul')).toHaveLength(3);
  });
});

test('gradients of gradients are the same with all of it', async () => {
  const inputs = inputsOf(false);
  const options = { inputs, outputs: gradients(inputs, 'second', true), onUnusedInput: 'ignore' } as const;
  const { outputs: plain } = rewritten(options.outputs, { inputs, stages: [STABLE_FORMS] });
  const { outputs: after, history } = rewritten(plain, { inputs, stages: [LEANER_GRADIENTS] });
  const ofScans = [slopeOfSigmoid, scansInOne, sumsAfterScan, joinedParts, regroupedProducts, liftedElementwise];
  expect([...history.fired.keys()]).toEqual(expect.arrayContaining(ofScans.map(({ name }) => name)));
  await expectSameValues(inputs, plain, after, values, 4096);
});

test('a sum that a step looks at stays in the scan, and one of products of more than it has itself', async () => {
  const [rows, total] = [tensor('rows', 'float32', [6, 50, 4]), tensor('total', 'float32', [4, 4])];
  const [row, sofar] = [tensor('row', 'float32', [50, 4]), tensor('sofar', 'float32', [4, 4])];
  const build = (next: Variable): Variable => {
    const parameters = { backwardInputs: [false], states: 1, backwardOutputs: [], truncateGradient: null };
    const op = scanOp({ inputs: [row, sofar], outputs: [next] }, parameters);
    return new Apply(op, [dimension(rows, 0), rows, total]).output;
  };
  const squares = (of: Variable): Variable => dot(transpose(of), of);
  const seen = build(add(sofar, mul(squares(row), sofar)));
  const large = build(add(sofar, squares(exp(row))));
  expectUntouched(sumsAfterScan, [seen, large], [rows, total]);
  const small = build(add(sofar, squares(row)));
  const after = rewritten([small], { inputs: [rows, total], stages: [[sumsAfterScan]] });
  expect(after.history.fired.size).toBe(1);
  const fed = [{ ...spreadOf(300, 4), shape: [6, 50, 4] }, spreadOf(4, 4)];
  await expectSameValues([rows, total], [small], after.outputs, fed, 64);
});

test('the gradient of a sigmoid takes one exponential, whatever the number', async () => {
  const [x, gradient] = [tensor('x', 'float32', [4, 4]), tensor('gradient', 'float32', [4, 4])];
  const slope = (of: Variable): Variable => mul(mul(gradient, logistic(of)), logistic(neg(of)));
  const far = [0, -0, 1e-3, -1, 5, -5, 18, -18, 40, -40, 80, -80, 86, -86, 3, -0.5];
  await expectRewrite(slopeOfSigmoid, {
    inputs: [x, gradient],
    outputs: [slope(x)],
    values: [
      array('float32', [4, 4], far),
      array(
        'float32',
        [4, 4],
        far.map((_, k) => k - 7.5),
      ),
    ],
    ops: ['abs', 'neg', 'exp', 'add', 'square', 'div', 'mul'],
    ulps: 8,
  });
  expectUntouched(slopeOfSigmoid, [mul(mul(gradient, logistic(x)), logistic(neg(gradient)))], [x, gradient]);
});

describe('parts that fill an array', () => {
  const like = tensor('like', 'float32', [3, 4]);
  const [a, b] = [tensor('a', 'float32', [3, 1]), tensor('b', 'float32', [3, 3])];
  const at = (part: Variable, start: number): Variable => unslice(part, like, constant(start, 'int64'), 1);

  test('are joined in their order, but for the sign of their zeros', async () => {
    await expectRewrite(joinedParts, {
      inputs: [like, a, b],
      outputs: [exp(add(at(b, 1), at(a, 0))), exp(add(at(a, 0), at(b, 1)))],
      values: [hard(3, 4), hard(3, 1), hard(3, 3)],
      ops: ['concatenate', 'exp', 'concatenate', 'exp'],
      times: 2,
      ulps: 1,
    });
  });

  test('are summed where they overlap, leave something out, or are not alone', () => {
    const cases = [add(at(b, 0), at(a, 0)), add(at(a, 0), at(a, 1)), add(add(at(b, 1), at(a, 0)), like)];
    expectUntouched(joinedParts, cases.slice(0, 2), [like, a, b]);
    const [outer] = rewritten([present(cases[2])], { inputs: [like, a, b], stages: [[joinedParts]] }).outputs;
    expect(opsOf([present(outer)])).toEqual(['concatenate', 'add']);
  });
});

describe('elementwise ops of sequences', () => {
  test('of parts of them too are computed before the scan, but not where a step has much to compute', async () => {
    const [first, large] = [tensor('first', 'float32', [2, 2]), tensor('large', 'float32', [2, 300, 300])];
    const rows = tensor('rows', 'float32', [6, 2, 4]);
    const outputs = scan((row, state) => add(present(state), tanh(slice(present(row), 2, 4, { axis: 1 }))), {
      sequences: [rows],
      outputsInfo: [first],
    });
    await expectRewrite(liftedElementwise, {
      inputs: [rows, first],
      outputs,
      values: values.slice(0, 2),
      ops: ['slice', 'tanh', 'add', 'scan'],
      ulps: 2,
    });
    const [last] = scan((row, state) => add(present(state), exp(present(row))), {
      sequences: [large],
      outputsInfo: [tensor('state', 'float32', [300, 300])],
    });
    expectUntouched(liftedElementwise, [present(last)], [large]);
  });
});
