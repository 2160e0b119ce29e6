import { describe, expect, test } from 'vitest';

import {
  add,
  broadcastTo,
  cast,
  compile,
  constant,
  dimension,
  dimshuffle,
  div,
  dot,
  exp,
  fill,
  identity,
  mul,
  neg,
  reshape,
  stopGradient,
  sub,
  tap,
  tensor,
  toposort,
  type Variable,
} from '../index.js';
import { Apply } from '../graph/apply.js';
import { castOp } from '../ops/cast.js';
import { randomBits } from '../ops/random-bits.js';
import { expectRefusal, expectRewrite, expectUntouched, hard } from '../../test/rewrite-tester.js';
import { array, present } from '../../test/op-laws.js';
import { castToSame } from './cast-to-same.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { dimshufflesInOne } from './dimshuffles-in-one.js';
import { doubleNegation } from './double-negation.js';
import { foldedConstants } from './folded-constants.js';
import { identities } from './identities.js';
import { reshapeToSame } from './reshape-to-same.js';
import { rewrittenForEngine } from './rewrites.js';

const x = tensor('x', 'float32', ['batch', 4]);
const inputs = [x];
const product = dot(tensor('a', 'float32', [3, 3]), tensor('b', 'float32', [3, 3]));
const ofProduct = toposort([product]).flatMap((node) => node.inputs);

test('identities are taken away, of gradients that stop too', async () => {
  await expectRewrite(identities, { inputs, outputs: [mul(identity(stopGradient(x)), 3)], ops: ['mul'], times: 2 });
});

test('a cast to the dtype that is there is taken away, another one is not', async () => {
  const same = new Apply(castOp({ dtype: 'float32' }), [x]).output;
  await expectRewrite(castToSame, { inputs, outputs: [mul(same, 3)], ops: ['mul'] });
  expectUntouched(castToSame, [cast(x, 'float64')], inputs);
});

describe('a reshape', () => {
  test('to the shape that is there is taken away', async () => {
    const known = tensor('known', 'float32', [3, 4]);
    await expectRewrite(reshapeToSame, { inputs: [known], outputs: [mul(reshape(known, [3, 4]), 3)], ops: ['mul'] });
    await expectRewrite(reshapeToSame, { inputs, outputs: [mul(reshape(x, [dimension(x, 0), 4]), 3)], ops: ['mul'] });
  });

  test('that may check a size, or have another, stays', () => {
    const outputs = [reshape(x, [3, 4]), reshape(x, [4, dimension(x, 0)]), reshape(x, [dimension(exp(x), 0), 4])];
    expectUntouched(reshapeToSame, outputs, inputs);
  });

  test('of a product stays', () => {
    expectRefusal(
      reshapeToSame,
      [reshape(product, [3, 3])],
      'an engine may fuse what is reshaped with what uses it',
      ofProduct,
    );
  });
});

describe('axes that are put in order twice', () => {
  test('are put in order once, or not at all', async () => {
    const outputs = [
      mul(dimshuffle(dimshuffle(x, [1, 0]), [1, 0]), 3),
      mul(dimshuffle(dimshuffle(x, [1, 'x', 0]), [2, 'x', 1, 0]), 3),
      mul(dimshuffle(dimshuffle(x, [0, 'x', 1]), [2, 0]), 3),
    ];
    const after = await expectRewrite(dimshufflesInOne, {
      inputs,
      outputs,
      ops: ['mul', 'dimshuffle', 'mul', 'dimshuffle', 'mul'],
      times: 3,
    });
    expect(after.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape));
  });

  test('stay where they are those of a product', () => {
    const twice = dimshuffle(dimshuffle(product, [1, 0]), [1, 0]);
    expectRefusal(dimshufflesInOne, [twice], 'an engine may fuse what is shuffled with what uses it', ofProduct);
  });
});

test('a number that is negated twice is that number, but that of a product stays', async () => {
  await expectRewrite(doubleNegation, { inputs, outputs: [neg(neg(x))], ops: [] });
  await expectRewrite(doubleNegation, { inputs, outputs: [neg(neg(neg(x)))], ops: ['neg'] });
  expectRefusal(doubleNegation, [neg(neg(product))], 'an engine may fuse what is negated with what uses it', ofProduct);
});

test('nothing is taken for 0 that adds one: -0 + 0 is 0', async () => {
  const outputs = [add(x, 0), sub(x, 0), mul(x, 1)];
  expect(rewrittenForEngine(outputs, inputs).outputs).toEqual(outputs);
});

describe('what is computed of constants', () => {
  const three = constant(3, 'float32');

  test('is one where nothing is rounded', async () => {
    const outputs = [
      mul(x, add(three, 0.5)),
      mul(x, broadcastTo(neg(three), [4])),
      mul(x, cast(sub(constant([1, 2, 3, 4], 'int64'), 7), 'float32')),
    ];
    await expectRewrite(foldedConstants, { inputs, outputs, ops: ['mul', 'mul', 'mul'], times: 5 });
  });

  test.each([
    ['a third', () => div(constant(1, 'float32'), three), 'it is rounded, is denormal or is no number'],
    ['a denormal', () => mul(constant(1e-30, 'float32'), 2 ** -40), 'it is rounded, is denormal or is no number'],
    ['infinity', () => div(three, 0), 'it is rounded, is denormal or is no number'],
    ['an exponential', () => exp(three), 'engines may differ in the last bits of exp'],
    [
      'much',
      () =>
        fill(
          constant(
            array(
              'float32',
              [300],
              Array.from({ length: 300 }, () => 1),
            ),
          ),
          three,
        ),
      'it has more than 256 elements',
    ],
  ] as const)('stays where it is %s', (_name, build, reason) => {
    expectRefusal(foldedConstants, [build()], reason);
  });
});

describe('what is computed twice', () => {
  test('is computed once', async () => {
    const twice = (): Variable => mul(exp(mul(x, 0.5)), x);
    await expectRewrite(commonSubexpressions, {
      inputs,
      outputs: [sub(twice(), 1), add(twice(), 1), mul(twice(), -0), mul(twice(), 0)],
      ops: ['mul', 'exp', 'mul', 'sub', 'add', 'mul', 'mul'],
      times: 9,
    });
  });

  test('stays where it is drawn, tapped, of constants, or used by what an engine makes one of', () => {
    const state = tensor('state', 'int64', [3]);
    const drawn = [randomBits(state, [2]).values, randomBits(state, [2]).values];
    const ignored = (): void => undefined;
    const cases = [
      { outputs: drawn, reason: 'it is drawn' },
      { outputs: [tap(x, ignored), tap(x, ignored)], reason: 'it is tapped' },
      { outputs: [exp(constant(3)), exp(constant(3))], reason: 'it is made of constants alone' },
      { outputs: [div(1, x), div(1, x)], reason: 'ONNX Runtime goes by how often it is used' },
    ];
    for (const { outputs, reason } of cases) expectRefusal(commonSubexpressions, outputs, reason, [x, state]);
  });
});

test('a function that is tapped calls back with what it computes, however the tap was rewritten', async () => {
  const seen: number[] = [];
  const tapped = tap(identity(x), ({ shape }) => void seen.push(shape[0] ?? 0));
  const f = await compile({ inputs, outputs: [mul(tapped, 3)], engine: 'reference' });
  await f.run([hard(3, 4)]);
  expect(seen).toEqual([3]);
  expect(f.explain().rewritings).toContainEqual({
    rewrite: 'identity',
    output: '`identity.0` float32 (batch, 4)',
    refused: undefined,
  });
  expect(String(f.explain())).toContain('rewritten 2 times: identity');
  expect(present(toposort([tapped])[0]).op.name).toBe('identity');
});
