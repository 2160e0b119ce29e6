import { ndarray, type NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  abs,
  add,
  and,
  cast,
  clip,
  constant,
  div,
  dot,
  eq,
  erf,
  exp,
  ge,
  gt,
  identity,
  le,
  lt,
  maximum,
  minimum,
  mul,
  neg,
  neq,
  not,
  or,
  shared,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  transpose,
  where,
  xor,
  zerosLike,
  type SharedVariable,
  type Variable,
} from '../../index.js';
import { numbers } from '../../../test/mlp.js';
import { array, present } from '../../../test/op-laws.js';
import { bitsOf, compileFused, compileUnfused } from '../../../test/unfused.js';

const DENORMAL = 1e-45;
const ORDINARY = [0, -0, 1, -1, NaN, Infinity, -Infinity, 3.4028235e38, -3.4028235e38, 0.1, -2.5, 1e-20, 1e20];
const SPECIAL = [...ORDINARY, DENORMAL, -DENORMAL, 6e-39, 1.1754942e-38, -1.1754944e-38];

/** Elements of all kinds: each special one beside each other one where seeds are even and odd, then any bits. */
function elements(shape: readonly number[], seed: number): NdArray {
  let drawn = seed;
  const value = ndarray('float32', shape);
  const bits = new Uint32Array(value.data.length).map(() => {
    drawn = (Math.imul(drawn, 1664525) + 1013904223) >>> 0;
    return drawn ^ (drawn >>> 15);
  });
  const data = new Float32Array(bits.buffer).map((any, at) => {
    if (at >= SPECIAL.length ** 2) return any;
    return present(SPECIAL[(seed % 2 === 0 ? at : Math.floor(at / SPECIAL.length)) % SPECIAL.length]);
  });
  return ndarray('float32', shape, data);
}

function stateOf(shape: readonly number[], seed: number): SharedVariable {
  return shared(elements(shape, seed), 'state');
}

function zeros(shape: readonly (number | string | null)[], name: string): SharedVariable {
  return shared(ndarray('float32', shape.map(Number)), name);
}

/** What a function computes, of state that is the same each time that it is built. */
interface Built {
  readonly updates: readonly (readonly [SharedVariable, Variable])[];
  readonly outputs?: readonly Variable[];
}

/** Runs the updates three times by kernels, of both kinds, and three times without, and says of those that are not fused why. */
async function expectSameBits(build: () => Built): Promise<string[]> {
  await expectSameBitsBy(build, true);
  return await expectSameBitsBy(build, false);
}

async function expectSameBitsBy(build: () => Built, isCareful: boolean): Promise<string[]> {
  const [built, other] = [build(), build()];
  const f = await compileFused({ inputs: [], outputs: [], ...built }, isCareful);
  const unfused = await compileUnfused({ inputs: [], outputs: [], ...other });
  for (let step = 0; step < 3; step += 1) {
    const [outputs, expected] = [await f.run([]), await unfused.run([])];
    for (const [at, { data }] of outputs.entries()) expect(bitsOf(data)).toEqual(bitsOf(present(expected[at]).data));
    for (const [at, [variable]] of built.updates.entries()) {
      const [value, wanted] = [await variable.getValue(), await present(other.updates[at])[0].getValue()];
      expect([variable.name, bitsOf(value.data)]).toEqual([variable.name, bitsOf(wanted.data)]);
    }
  }
  const explanation = f.explain();
  const fused = explanation.fused.flatMap(({ outputs }) => outputs);
  expect(fused.length + explanation.unfused.length).toBe(new Set(built.updates.map(([, value]) => value)).size);
  return explanation.unfused.map(({ reason }) => reason);
}

/** Each op of kernels, in what gives a float of floats. */
const FORMS: Readonly<Record<string, (a: Variable, b: Variable, c: Variable) => Variable>> = {
  abs,
  add,
  and: (a, b, c) => where(and(lt(a, b), lt(b, c)), a, 0),
  cast: (a, b) => cast(gt(a, b), 'float32'),
  clip: (a) => clip(a, -1, 2.5),
  div,
  eq: (a, b, c) => where(eq(a, b), a, c),
  fill: (a, b) => sub(b, zerosLike(a)),
  ge: (a, b, c) => where(ge(a, b), a, c),
  gt: (a, b, c) => where(gt(a, b), a, c),
  identity,
  le: (a, b, c) => where(le(a, b), a, c),
  lt: (a, b, c) => where(lt(a, b), a, c),
  maximum: (a) => maximum(-DENORMAL, a),
  mul,
  neg,
  neq: (a, b) => cast(neq(a, b), 'float32'),
  not: (a, b) => cast(not(lt(a, b)), 'float32'),
  or: (a, b, c) => where(or(lt(a, b), lt(b, c)), -0, b),
  sqrt,
  square,
  sub,
  xor: (a, b, c) => where(xor(lt(a, b), lt(b, c)), b, c),
};

test('each op of kernels has the bits of ONNX Runtime, whatever it is given: not a number, infinite, -0, denormal', async () => {
  const unfused = await expectSameBits(() => {
    const [a, b, c] = [stateOf([1027], 2), stateOf([1027], 3), stateOf([1027], 5)];
    return { updates: Object.entries(FORMS).map(([name, form]) => [zeros([1027], name), form(a, b, c)]) };
  });
  // An identity is what it is of.
  expect(unfused).toEqual(['nothing computes it']);
});

/** Numbers that an array is multiplied with: of products that are denormal where the array is not, of none that are, and none at all. */
const FACTORS = [
  0.5,
  -0.9,
  0,
  -0,
  1.0000001,
  2,
  -2,
  2.0000002,
  3.5,
  3e38,
  0.001,
  -3e-6,
  1e-30,
  1e-40,
  DENORMAL,
  NaN,
  Infinity,
];

test('what denormals go into and come out of is rounded once, to an even last bit where two are as near', async () => {
  // All sizes of both, of few and of many bits; what is halved has its last bit in the middle.
  const drawn = (seed: number, exponents: readonly number[]): NdArray => {
    const random = numbers(4096, seed);
    const data = Float32Array.from(random, (value, at) => {
      const bits = at % 3 === 0 ? Math.round(value * 16) : value;
      return bits * 2 ** present(exponents[at % exponents.length]);
    });
    return ndarray('float32', [4096], data);
  };
  const small = Array.from({ length: 31 }, (_, at) => -150 + at);
  const any = [-1, 0, -1, 1, -2, 3, -126, -120, 20, -24, -1, 100, 126];
  const unfused = await expectSameBits(() => {
    const [a, b] = [shared(drawn(1, small), 'a'), shared(drawn(2, any), 'b')];
    const factors = FACTORS.map((factor) => shared(ndarray('float32', [], Float32Array.of(factor)), 'factor'));
    const forms = [
      mul(a, b),
      mul(b, a),
      square(a),
      mul(mul(b, b), a),
      div(mul(a, b), b),
      div(a, b),
      div(b, a),
      div(a, 7),
      div(a, mul(a, 3e-39)),
      sqrt(a),
      sqrt(abs(a)),
      ...factors.flatMap((factor) => [mul(a, factor), mul(mul(factor, b), factor)]),
    ];
    return { updates: forms.map((form) => [zeros([4096], 'form'), form]) };
  });
  expect(unfused).toEqual([]);
});

test('what ONNX Runtime computes otherwise than op by op is left to it', async () => {
  const unfused = await expectSameBits(() => {
    const [a, b] = [stateOf([1027], 2), stateOf([1027], 3)];
    const [W, X] = [3, 5].map((seed) => constant(array('float32', [40, 300], numbers(12_000, seed))));
    const fed = zeros([300, 40], 'fed');
    const product = (weights: Variable | undefined): Variable => dot(present(weights), add(fed, 1));
    const scaled = mul(product(W), 0.7);
    const one = identity(div(sub(2, 1), a));
    const gelu = add(1, erf(div(b, Math.SQRT2)));
    const forms = [
      add(a, 0),
      mul(b, div(1, a)),
      where(not(lt(a, b)), a, b),
      where(neq(a, b), a, b),
      maximum(a, b),
      minimum(a, 0),
      add(product(X), 0.1),
      mul(dot(present(X), fed), 0.1),
      exp(a),
      // The optimizer sees them beside one another, once it has left out what is between them.
      mul(mul(identity(transpose(transpose(product(X)))), 1), 0.1),
      add(sub(product(X), 0), product(W)),
      div(scaled, 0.3),
      mul(b, one),
      mul(add(b, mul(0, 3)), a),
      mul(mul(b, gelu), 0.5),
    ];
    return { updates: forms.map((form) => [zeros(form.shape, 'form'), form]) };
  });
  expect(unfused).toEqual([
    'ONNX Runtime leaves out additions of 0',
    'ONNX Runtime divides where 1 / x is multiplied with',
    'ONNX Runtime exchanges what there is to choose between',
    'ONNX Runtime exchanges what there is to choose between',
    'kernels have no maximum of float32, float32, float32',
    'kernels have no minimum of float32, float32, float32',
    'ONNX Runtime may make one op of it and dot',
    'ONNX Runtime may make one op of it and dot',
    'kernels have no exp of float32, float32',
    'ONNX Runtime may make one op of it and dot',
    'ONNX Runtime may make one op of it and dot',
    'ONNX Runtime may make one op of it and dot',
    'ONNX Runtime divides where 1 / x is multiplied with',
    'ONNX Runtime leaves out additions of 0',
    'ONNX Runtime may make a Gelu of it',
  ]);
});

/** Of what is half in updates and half in outputs, or is there twice: how often the engine uses a value decides what it makes of it. */
const SHARED: Readonly<Record<string, (a: Variable, b: Variable, c: Variable) => readonly [Variable[], Variable[]]>> = {
  'a reciprocal': (a, b) => {
    const reciprocal = div(1, a);
    return [[reciprocal], [tanh(mul(b, reciprocal))]];
  },
  'a condition': (a, b, c) => {
    const condition = not(lt(a, b));
    return [[cast(condition, 'float32')], [tanh(where(condition, c, b))]];
  },
  'part of a Gelu': (a) => {
    const part = div(a, Math.SQRT2);
    return [[part], [mul(mul(a, add(1, erf(part))), 0.5)]];
  },
  'part of a Gelu twice': (a) => [[div(a, Math.SQRT2)], [mul(mul(a, add(1, erf(div(a, Math.SQRT2)))), 0.5)]],
  'a factor of a product': (a, b) => {
    const factor = identity(mul(a, 0.3));
    return [[factor], [dot(factor, b)]];
  },
  'a product that is scaled twice': (a, b, c) => {
    const product = dot(a, b);
    return [[sub(c, mul(product, 0.3)), add(c, mul(product, 0.3))], []];
  },
  'a product that is added to twice': (a, b, c) => {
    const product = dot(a, b);
    return [[add(product, c), mul(add(product, c), 0.5)], []];
  },
};

test.each(Object.keys(SHARED))('the engine makes the same of %s as without kernels', async (name) => {
  await expectSameBits(() => {
    const [a, b, c] = [3, 5, 7].map((seed) => shared(array('float32', [40, 40], numbers(1600, seed)), 'state'));
    const [news, outputs] = present(SHARED[name])(present(a), present(b), present(c));
    const large = stateOf([1027], 1);
    return {
      updates: [...news.map((value) => [zeros([40, 40], 'new'), value] as const), [large, neg(large)]],
      outputs,
    };
  });
});

const SHAPES = [[1], [3], [4], [5], [1, 1], [2, 3], [1027], [13, 79], [17, 17]] as const;
/** And of what the engine computes with others. */
const ALL_FORMS: typeof FORMS = {
  ...FORMS,
  dot: (a, b) => (a.shape[0] === 17 && b.ndim === 2 ? dot(a, b) : mul(a, b)),
  gelu: (a) => mul(mul(a, add(1, erf(div(a, Math.SQRT2)))), 0.5),
  reciprocal: (a) => div(1, a),
  scale: (a) => mul(a, 0.3),
  tanh,
  zero: (a) => add(a, 0),
};
const NODE = fc.record({
  form: fc.constantFrom(...Object.keys(ALL_FORMS)),
  operands: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
});
const PICKED = fc.array(fc.nat(), { minLength: 1, maxLength: 4 });
const DAG = fc.record({
  shape: fc.constantFrom(...SHAPES),
  nodes: fc.array(NODE, { minLength: 1, maxLength: 60 }),
  updates: PICKED,
  outputs: PICKED,
  summed: PICKED,
});

test('any graph of such ops has them, whichever of its values are kept, asked for or summed', async () => {
  let fused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(DAG, { minLength: 4, maxLength: 8 }), async (dags) => {
      let count = 0;
      const unfused = await expectSameBits(() => {
        // So many elements that they are worth kernels.
        const large = stateOf([1027], 1);
        const updates: (readonly [SharedVariable, Variable])[] = [[large, mul(large, 0.5)]];
        const outputs: Variable[] = [];
        for (const dag of dags) {
          const { shape } = dag;
          const before = [stateOf(shape, 2), stateOf(shape, 3), stateOf(shape, 5)];
          const made: Variable[] = [...before, shared(0.3, 'scalar'), constant(-1.5)];
          for (const { form, operands } of dag.nodes) {
            const [a = large, b = large, c = large] = operands.map((operand) => made[operand % made.length]);
            const value = present(ALL_FORMS[form])(a, b, c);
            if (value.ndim > 0) made.push(value);
          }
          const from = (picks: readonly number[]): Variable[] =>
            picks.map((pick) => present(made[made.length - 1 - (pick % made.length)]));
          const news = new Set(from(dag.updates).filter(({ ndim }) => ndim > 0));
          for (const [at, value] of [...news].entries()) updates.push([before[at] ?? zeros(shape, 'more'), value]);
          outputs.push(...from(dag.outputs), ...from(dag.summed).map((value) => sum(square(value))));
        }
        count = updates.length;
        return { updates, outputs };
      });
      fused += count - unfused.length;
    }),
    { numRuns: 6, seed: 11 },
  );
  expect(fused).toBeGreaterThan(20);
});
