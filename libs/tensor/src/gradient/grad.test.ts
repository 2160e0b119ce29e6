import { describe, expect, test } from 'vitest';

import {
  add,
  applyOp,
  argmax,
  cast,
  compile,
  defineOp,
  dot,
  DISCONNECTED,
  DisconnectedInput,
  exp,
  grad,
  mean,
  mul,
  notDifferentiable,
  NotDifferentiable,
  onlyGradient,
  pow,
  scalar,
  shared,
  square,
  sub,
  sum,
  tanh,
  tensor,
  zerosLike,
  type GradOptions,
  type Variable,
} from '../index.js';
import { array, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

async function value(output: Variable, at: ReadonlyMap<Variable, number>): Promise<number> {
  const inputs = [...at.keys()];
  const f = await compile({ inputs, outputs: [output], engine: 'reference', onUnusedInput: 'ignore' });
  const [result] = await f.run([...at.values()].map((one) => array('float64', [], [one])));
  return Number(present(result).data[0]);
}

const x = scalar('x', 'float64');
const y = scalar('y', 'float64');

async function gradientAt(
  cost: Variable | null,
  wrt: Variable,
  at: ReadonlyMap<Variable, number>,
  options?: GradOptions,
): Promise<number> {
  const [gradient] = grad(cost, [wrt], options);
  return value(present(gradient), at);
}

test('1.T-25: paths that meet add up', async () => {
  const shared3 = mul(x, 3);
  const cost = add(square(shared3), mul(shared3, y));
  expect(
    await gradientAt(
      cost,
      x,
      new Map([
        [x, 2],
        [y, 5],
      ]),
    ),
  ).toBe(2 * 9 * 2 + 15);
});

test('the gradient of a gradient is the second derivative', async () => {
  const [first] = grad(pow(x, 3), [x]);
  expect(await gradientAt(present(first), x, new Map([[x, 2]]))).toBeCloseTo(12, 10);
  const [of] = grad(exp(mul(x, y)), [x]);
  const [second] = grad(present(of), [y]);
  expect(
    await value(
      present(second),
      new Map([
        [x, 0.5],
        [y, 2],
      ]),
    ),
  ).toBeCloseTo(Math.E * (1 + 1), 10);
});

test('a whole network has the gradients of finite differences', async () => {
  await expectGradientsRight(network, [
    spread([3, 4], -1, 1),
    spread([4, 2], -1, 1, 1),
    spread([2], -1, 1, 2),
    spread([2, 3], -1, 1, 3),
  ]);
});

describe('disconnected variables', () => {
  test('raise, naming cost and variable', () => {
    const cost = square(x);
    cost.name = 'cost';
    expect(() => grad(cost, [x, y])).toThrow(DisconnectedInput);
    expect(() => grad(cost, [x, y])).toThrow(
      'grad: the cost `cost` float64 () does not depend on `y` float64 (), or only through integers and bools; leave it',
    );
  });

  test('are given zeros of their own type when asked', async () => {
    const W = shared(array('float32', [2, 3], [1, 2, 3, 4, 5, 6]), 'W');
    const [zeros] = grad(square(x), [W], { disconnectedInputs: 'zero' });
    const f = await compile({ inputs: [], outputs: [present(zeros)], engine: 'reference' });
    expectClose(present((await f.run([]))[0]), array('float32', [2, 3], [0, 0, 0, 0, 0, 0]));
  });

  test('are given zeros with a warning when asked', async () => {
    const warned = new Promise<Error>((resolve) => {
      process.once('warning', resolve);
    });
    const [zeros] = grad(square(x), [y], { disconnectedInputs: 'warn' });
    expect(await value(present(zeros), new Map([[y, 3]]))).toBe(0);
    expect((await warned).message).toMatch('does not depend on `y` float64 ()');
  });

  test('raise when the only path leads through integers', () => {
    const v = tensor('v', 'float64', [null]);
    expect(() => grad(cast(argmax(v), 'float64'), [v])).toThrow(DisconnectedInput);
    expect(() => grad(square(x), [tensor('labels', 'int64', [])])).toThrow('`labels` int64 (), which is not a float');
  });
});

test('no gradient flows through what is considered constant', async () => {
  const target = square(x);
  const cost = mul(target, x);
  expect(await gradientAt(cost, x, new Map([[x, 3]]), { considerConstant: [target] })).toBe(9);
  expect(() => grad(cost, [target], { considerConstant: [target] })).toThrow(DisconnectedInput);
});

describe('known gradients', () => {
  const middle = square(x);
  const at = new Map([
    [x, 3],
    [y, 10],
  ]);
  const knownGrads = new Map([[middle, y]]);

  test('start where they are given, with or without a cost', async () => {
    expect(await gradientAt(null, x, at, { knownGrads })).toBe(60);
    expect(await gradientAt(mul(x, 2), x, at, { knownGrads })).toBe(62);
    expect(() => grad(null, [x], { knownGrads: new Map([[middle, tensor('g', 'float64', [2])]]) })).toThrow(
      'grad: the known gradient `g` float64 (2,) does not fit its variable `square.0` float64 ()',
    );
  });

  test('replace what flows from the cost, also at the cost itself', async () => {
    expect(await gradientAt(mul(middle, 7), x, at, { knownGrads })).toBe(60);
    expect(await gradientAt(middle, x, at, { knownGrads })).toBe(60);
    expect(await gradientAt(mul(middle, 7), middle, at, { knownGrads })).toBe(10);
  });
});

describe('an op without a gradient', () => {
  const opaqueOp = defineOp({
    name: 'opaque',
    inferTypes: (inputs) => inputs.slice(0, 1).map(({ type }) => type),
    grad: (node, outputGradients) => [
      notDifferentiable('it looks things up'),
      onlyGradient(node, outputGradients),
      DISCONNECTED,
    ],
    run: (inputs) => inputs.slice(0, 1),
  });
  const z = scalar('z', 'float64');
  const opaque = applyOp(opaqueOp(), [x, y, z]);

  test('is named with its reason where a wanted variable lies behind it, however far', () => {
    const message =
      'grad: `x` float64 () has no gradient, for a path to it leads through opaque: it looks things up; leave it out of wrt';
    expect(() => grad(opaque, [x])).toThrow(NotDifferentiable);
    expect(() => grad(opaque, [x], { disconnectedInputs: 'zero' })).toThrow(message);
    const behind = applyOp(opaqueOp(), [square(mul(x, 2)), y, z]);
    expect(() => grad(add(behind, x), [x])).toThrow(message);
  });

  test('does not matter where no wanted variable lies behind it', async () => {
    const at = new Map([
      [x, 3],
      [y, 10],
      [z, 1],
    ]);
    expect(await gradientAt(add(opaque, square(x)), y, at)).toBe(1);
    expect(await gradientAt(add(opaque, square(x)), x, at, { considerConstant: [opaque] })).toBe(6);
    expect(() => grad(opaque, [z])).toThrow(DisconnectedInput);
    // Behind it, but through an integer and through a size only.
    const integer = cast(argmax(tensor('v', 'float64', [null])), 'float64');
    expect(() => grad(applyOp(opaqueOp(), [integer, y, z]), [z])).toThrow(DisconnectedInput);
    expect(() => grad(applyOp(opaqueOp(), [zerosLike(z), y, x]), [z])).toThrow(DisconnectedInput);
  });

  test('that gives too few gradients is told so', () => {
    const short = defineOp({
      name: 'short',
      inferTypes: (inputs) => inputs.slice(0, 1).map(({ type }) => type),
      grad: (node, outputGradients) => [onlyGradient(node, outputGradients)],
      run: (inputs) => inputs.slice(0, 1),
    });
    expect(() => grad(applyOp(short(), [x, y]), [y])).toThrow('short: gave 1 gradients for 2 inputs');
  });
});

test('the gradient of the cost itself is 1, and of an intermediate variable that of what follows', async () => {
  const middle = square(x);
  const cost = mul(middle, 3);
  expect(await gradientAt(cost, cost, new Map([[x, 2]]))).toBe(1);
  expect(await gradientAt(cost, middle, new Map([[x, 2]]))).toBe(3);
});

test('a cost that is not a float scalar is refused', () => {
  const v = tensor('v', 'float32', [null]);
  expect(() => grad(v, [v])).toThrow(
    'grad: the cost `v` float32 (null,) is not a float scalar; take its mean or sum first',
  );
  expect(() => grad(sum(tensor('n', 'int64', [2])), [v])).toThrow('is not a float scalar');
});

test('gradients have the types of their variables', () => {
  const [features, W] = [tensor('features', 'float32', [null, 3]), shared(array('float32', [3, 1], [1, 2, 3]), 'W')];
  const gradients = grad(mean(dot(features, W)), [features, W]);
  expect(gradients.map(({ type }) => type)).toEqual([features.type, W.type]);
});

function network(input?: Variable, W?: Variable, b?: Variable, V?: Variable): Variable {
  if (input === undefined || W === undefined || b === undefined || V === undefined)
    throw new Error('An input is missing');
  const hidden = tanh(add(dot(input, W), b));
  return mean(square(sub(dot(hidden, V), 0.3)), { axis: 1 });
}
