import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  add,
  ancestors,
  cast,
  constant,
  dimshuffle,
  div,
  dot,
  exp,
  identity,
  ifElse,
  gt,
  log,
  logistic,
  mul,
  neg,
  printGraph,
  reshape,
  scan,
  softmax,
  stopGradient,
  sub,
  sum,
  tagKey,
  tanh,
  tensor,
  toposort,
  type Variable,
} from '../index.js';
import { expectSameValues, hard } from '../../test/rewrite-tester.js';
import { present } from '../../test/op-laws.js';
import { identities } from './identities.js';
import { eitherWay, hole, op } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { rewrittenForEngine, SAME_BITS } from './rewrites.js';
import { rewritten } from './rewritten.js';
import { STABLE_FORMS } from './stable-forms.js';

const x = tensor('x', 'float32', [3, 3]);
const y = tensor('y', 'float32', [3, 3]);
const inputs = [x, y];

/** Twice as something plus itself. */
const sumOfSame: Rewrite = {
  name: 'sum of the same',
  pattern: op('add', hole('a'), hole('a')),
  check: (match) => (match.of('a').ndim === 0 ? 'it is a number' : undefined),
  replacement: (match) => mul(match.of('a'), 2),
};

const exchanged: Rewrite = {
  name: 'exchanged',
  pattern: op('mul', hole('a'), hole('b')),
  replacement: (match) => mul(match.of('b'), match.of('a')),
};

test('a hole that stands twice is of what is computed alike', () => {
  const { outputs, history } = rewritten([add(exp(x), exp(identity(x))), add(exp(x), exp(y)), add(sum(x), sum(x))], {
    inputs,
    stages: [[sumOfSame]],
  });
  expect(outputs.map(({ owner }) => owner?.op.name)).toEqual(['mul', 'add', 'add']);
  expect(history.entries).toEqual([
    { rewrite: 'sum of the same', output: '`add.0` float32 (3, 3)', refused: undefined },
    { rewrite: 'sum of the same', output: '`add.0` float32 ()', refused: 'it is a number' },
  ]);
  expect(String(history)).toBe(
    'rewritten 1 times: sum of the same\nnot rewritten 1 times: sum of the same: it is a number',
  );
});

test('the operands of what commutes are tried in either order', () => {
  const rewrite: Rewrite = {
    name: 'product with an exponential',
    pattern: eitherWay('mul', hole('factor'), op('exp', hole('power'))),
    replacement: (match) => add(match.of('factor'), match.of('power')),
  };
  const { outputs } = rewritten([mul(x, exp(y)), mul(exp(y), x)], { inputs, stages: [[rewrite]] });
  expect(outputs.map(({ owner }) => owner?.inputs)).toEqual([
    [x, y],
    [x, y],
  ]);
});

test('what a rewrite makes is looked at again, until nothing fits', () => {
  const { outputs, history } = rewritten([add(add(x, x), mul(x, 2))], { inputs, stages: [[sumOfSame]] });
  expect(toposort(outputs).map((node) => node.op.name)).toEqual(['mul', 'mul']);
  expect(history.fired).toEqual(new Map([['sum of the same', 2]]));
});

test('rewrites that go on for ever are stopped, which is told', () => {
  const { outputs, history } = rewritten([mul(x, y)], { inputs, stages: [[exchanged]] });
  expect(outputs[0]?.owner?.op.name).toBe('mul');
  expect(history.entries.map(({ refused }) => refused)).toContain('what comes of it was replaced 32 times already');
});

test('a deep graph that shares much takes as many looks as it has applications', () => {
  let looks = 0;
  const counting: Rewrite = {
    name: 'looks',
    pattern: op('mul', hole('a'), hole('b')),
    check() {
      looks += 1;
      return 'they are counted';
    },
    replacement: () => undefined,
  };
  let product = x;
  for (let depth = 0; depth < 60; depth += 1) product = mul(product, product);
  rewritten([product], { inputs, stages: [[counting]] });
  expect(looks).toBe(60);
});

test('the graph as it was stays as it was', () => {
  const graph = [log(softmax(identity(x))), add(exp(y), exp(y))];
  const before = printGraph(graph);
  rewrittenForEngine(graph, inputs);
  expect(printGraph(graph)).toBe(before);
});

const NOTE = tagKey<number>('note');

/** Of each op, how it is made of what is there. */
const MAKERS: readonly ((a: Variable, b: Variable) => Variable)[] = [
  (a, b) => add(a, b),
  (a, b) => sub(a, b),
  (a, b) => mul(a, b),
  (a, b) => div(a, b),
  (a) => neg(a),
  (a) => identity(a),
  (a) => stopGradient(a),
  (a) => exp(a),
  (a) => tanh(a),
  (a) => logistic(a),
  (a) => softmax(a),
  (a) => log(a),
  (a) => sub(1, a),
  (a) => mul(a, add(constant(2, 'float32'), 0.5)),
  (a) => dimshuffle(a, [1, 0]),
  (a) => reshape(a, [3, 3]),
  (a, b) => dot(a, b),
  (a) => cast(cast(a, 'float64'), 'float32'),
  (a, b) =>
    present(
      ifElse(
        gt(sum(a), 0),
        () => mul(identity(a), b),
        () => neg(neg(b)),
      )[0],
    ),
  (a, b) =>
    present(
      scan((row, state, same) => add(mul(identity(present(row)), present(state)), tanh(identity(present(same)))), {
        sequences: [a],
        outputsInfo: [sum(b, { axis: 0 })],
        nonSequences: [sum(a, { axis: 0 })],
      })[0],
    ),
];

/** Graphs of up to 14 ops on two inputs, of which some have a name and a note; all that nothing uses is an output. */
const graphs = fc
  .array(
    fc.record({
      maker: fc.nat(MAKERS.length - 1),
      a: fc.nat(),
      b: fc.nat(),
      isNamed: fc.boolean(),
    }),
    { minLength: 4, maxLength: 14 },
  )
  .map((steps) => {
    const values: Variable[] = [...inputs];
    for (const [position, { maker, a, b, isNamed }] of steps.entries()) {
      const pick = (k: number): Variable => present(values[k % values.length]);
      const value = present(MAKERS[maker])(pick(a), pick(b));
      if (isNamed && value.owner !== null && value.name === undefined) {
        value.name = `value ${position}`;
        value.tag.set(NOTE, position);
      }
      values.push(value);
    }
    const used = new Set(toposort(values).flatMap((node) => node.inputs));
    const ends = values.slice(inputs.length).filter((value) => !used.has(value) && value.owner !== null);
    return ends.length === 0 ? [present(values.at(-1))] : ends;
  });

test('names and notes of all that is replaced go on to what replaces it', () => {
  let named = 0;
  fc.assert(
    fc.property(graphs, (outputs) => {
      const { standIn, provenance, outputs: after } = rewrittenForEngine(outputs, inputs);
      expect(outputs.map(standIn)).toEqual(after);
      for (const variable of ancestors(outputs, { inside: true })) {
        if (variable.name === undefined && variable.tag.isEmpty) continue;
        named += 1;
        const all = provenance.of(standIn(variable));
        expect(all.map(({ name }) => name)).toContain(variable.name);
        expect(all.map(({ tag }) => tag.get(NOTE))).toContain(variable.tag.get(NOTE));
      }
    }),
    { numRuns: 60 },
  );
  expect(named).toBeGreaterThan(200);
});

test('rewriting a graph that is rewritten changes nothing', () => {
  fc.assert(
    fc.property(graphs, (outputs) => {
      const once = rewrittenForEngine(outputs, inputs).outputs;
      const twice = rewrittenForEngine(once, inputs);
      expect(twice.history.fired).toEqual(new Map());
      expect(twice.outputs).toEqual(once);
    }),
    { numRuns: 40 },
  );
});

test('what keeps bits keeps those of random graphs of hard values, on both engines', async () => {
  let fired = 0;
  const all = fc.sample(graphs, { seed: 3, numRuns: 40 }).flat();
  for (let start = 0; start < all.length; start += 20) {
    const outputs = all.slice(start, start + 20);
    const stable = rewritten(outputs, { inputs, stages: [STABLE_FORMS] }).outputs;
    const { outputs: after, history } = rewritten(stable, { inputs, stages: [SAME_BITS] });
    fired += [...history.fired.values()].reduce((total, count) => total + count, 0);
    await expectSameValues(inputs, stable, after, [hard(3, 3), hard(3, 3)]);
  }
  expect(fired).toBeGreaterThan(30);
  expect(rewritten(all, { inputs, stages: [[identities]] }).history.fired.size).toBe(1);
});
