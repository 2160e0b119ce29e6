import { describe, expect, test } from 'vitest';

import {
  add,
  constant,
  dimension,
  dimshuffle,
  dot,
  exp,
  gt,
  identity,
  ifElse,
  mul,
  neg,
  scan,
  sum,
  tanh,
  tensor,
  type Variable,
} from '../index.js';
import { Apply } from '../graph/apply.js';
import { scanOp } from '../ops/scan-op.js';
import { expectRefusal, expectRewrite, expectUntouched, hard } from '../../test/rewrite-tester.js';
import { present } from '../../test/op-laws.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { deadCodeInIfElse } from './dead-code-in-if-else.js';
import { deadCodeInScan } from './dead-code-in-scan.js';
import { doubleNegation } from './double-negation.js';
import { hoistedInvariants, hoistedProducts } from './hoisted-invariants.js';
import { identities } from './identities.js';

const x = tensor('x', 'float32', [null, 4]);
const first = tensor('first', 'float32', [4]);
const W = tensor('W', 'float32', [4, 4]);
const inputs = [x, first, W];
const values = [hard(3, 4), { ...hard(1, 4), shape: [4] }, hard(4, 4)];

type Step = (row: Variable, state: Variable, other: Variable) => readonly Variable[];

function scanned(step: Step): Variable[] {
  return scan((...given) => step(present(given[0]), present(given[1]), present(given[2])), {
    sequences: [x],
    outputsInfo: [first, first, null],
  });
}

/** A scan of which each step computes something of W alone, as gradients of scans do: what is built in a step is outside from the start. */
function withInvariant(of: (W: Variable) => Variable, use: (row: Variable, same: Variable) => Variable): Variable[] {
  const [row, state, given] = [
    tensor('row', 'float32', [4]),
    tensor('state', 'float32', [4]),
    tensor('given', 'float32', [4, 4]),
  ];
  const used = use(row, of(given));
  const op = scanOp(
    { inputs: [row, state, given], outputs: [state, used] },
    { backwardInputs: [false], states: 1, backwardOutputs: [false], truncateGradient: null },
  );
  return [new Apply(op, [dimension(x, 0), x, first, W]).outputAt(1)];
}

describe('of a scan', () => {
  test('what nothing needs is taken away: states, what is collected, and what they are computed from', async () => {
    const [states] = scanned((row, state, other) => [tanh(mul(row, state)), add(exp(other), row), neg(other)]);
    const outputs = [identity(present(states))];
    const [after] = await expectRewrite(deadCodeInScan, {
      inputs,
      outputs,
      values,
      ops: ['dimension', 'mul', 'tanh', 'scan', 'identity'],
    });
    const node = present(present(after).owner?.inputs[0]).owner;
    expect(node?.outputs).toHaveLength(2);
    expect(node?.inputs).toHaveLength(3);
  });

  test('states that nothing but themselves needs are taken away, and all that is used stays', async () => {
    const [, , rows] = scanned((row, state, other) => [mul(row, other), add(exp(other), state), tanh(row)]);
    await expectRewrite(deadCodeInScan, {
      inputs,
      outputs: [present(rows)],
      values,
      ops: ['dimension', 'tanh', 'scan'],
    });
    const all = present(scanned((row, state, before) => [mul(row, state), exp(before), row])[0]);
    expectUntouched(deadCodeInScan, present(all.owner?.outputs), inputs);
  });

  test('what leaves a product to be fused stays, and what is written in another place', () => {
    const [states] = scanned((row, state, other) => {
      const product = dot(row, W);
      return [add(product, state), other, tanh(product)];
    });
    expectRefusal(deadCodeInScan, [present(states)], 'an engine may fuse what is left, once less uses it', inputs);
    const last = present(scanned((row, state, other) => [mul(row, other), exp(other), state])[0]);
    const [, before] = present(last.owner?.outputs);
    const reason = 'an engine may sum by where an array lies, and what is left is written less';
    expectRefusal(deadCodeInScan, [present(before)], reason, inputs);
  });

  test('what a step gives is what it is: it may be written into the array of all steps', () => {
    const reason = 'an engine may sum by where an array lies, and steps of a scan write it';
    const outputs = scanned((row, state, other) => [
      identity(row),
      neg(neg(state)),
      mul(add(exp(other), 1), exp(other)),
    ]);
    expectRefusal(identities, outputs, reason, inputs);
    expectRefusal(doubleNegation, outputs, reason, inputs);
    const twins = scanned((row, _state, other) => [exp(row), other, mul(exp(row), 2)]);
    expectRefusal(commonSubexpressions, twins, reason, inputs);
  });

  test('what is the same in all steps is computed once, but for what an engine may fuse with a product', async () => {
    // As a gradient has it: what the step computes of variables that were given to it.
    const within = withInvariant((given) => exp(mul(given, 0.5)), add);
    await expectRewrite(hoistedInvariants, {
      inputs,
      outputs: within,
      values,
      ops: ['dimension', 'mul', 'exp', 'add', 'scan'],
    });
    const transposed = withInvariant(
      (given) => dimshuffle(given, [1, 0]),
      (row, same) => dot(row, same),
    );
    expectRefusal(
      hoistedInvariants,
      transposed,
      'an engine may fuse what is the same in all steps with a product, or place it',
      inputs,
    );
    await expectRewrite(hoistedProducts, {
      inputs,
      outputs: transposed,
      values: [hard(3, 4), present(values[1]), hard(4, 4)],
      ops: ['dimension', 'dimshuffle', 'dot', 'scan'],
    });
  });
});

describe('of a choice', () => {
  test('what nothing needs is taken away', async () => {
    const [chosen] = ifElse(
      gt(sum(first), 0),
      () => [exp(first), dot(W, first)],
      () => [neg(first), dot(first, W)],
    );
    await expectRewrite(deadCodeInIfElse, {
      inputs,
      outputs: [present(chosen)],
      values: [hard(3, 4), { ...hard(1, 4), shape: [4] }, hard(4, 4)],
      ops: ['sum', 'gt', 'exp', 'neg', 'ifElse'],
    });
  });

  test('all that is used stays', () => {
    const both = ifElse(
      gt(sum(first), 0),
      () => [exp(first), constant(1)],
      () => [neg(first), constant(2)],
    );
    expectUntouched(deadCodeInIfElse, both, inputs);
  });
});
