import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  cast,
  categoricalCrossEntropy,
  compile,
  div,
  exp,
  grad,
  identity,
  log,
  logistic,
  mul,
  neg,
  pick,
  printGraph,
  softmax,
  sub,
  sum,
  tensor,
  toposort,
  type Variable,
} from '../index.js';
import { compileOnHost } from '../engine/host-executable.js';
import { call } from '../../test/call-op.js';
import { array, expectClose, present } from '../../test/op-laws.js';
import { rewritten } from './rewritten.js';
import { STABLE_FORMS } from './stable-forms.js';

const x = tensor('x', 'float32', [null, 3]);
const labels = tensor('labels', 'int64', [null]);
const targets = tensor('targets', 'float32', [null, 3]);
const inputs = [x, labels, targets];

const probabilities = identity(softmax(x));
const chance = identity(logistic(x));

/** Each as a cost: it and its gradient, and the ops that must be gone. */
const costs: Readonly<Record<string, Variable>> = {
  'log of softmax': sum(mul(log(probabilities), targets)),
  'log of the softmax of picked elements': sum(categoricalCrossEntropy(probabilities, labels)),
  'log of the sigmoid': sum(mul(log(chance), targets)),
  'log of one minus the sigmoid': sum(mul(targets, log(sub(1, chance)))),
  'binary cross-entropy of the sigmoid': neg(
    sum(add(mul(targets, log(chance)), mul(sub(1, targets), log(sub(1, chance))))),
  ),
};

const ordinary = {
  x: array('float32', [2, 3], [-1, 0.5, 2, 0.1, -0.7, 1.4]),
  labels: array('int64', [2], [2, -3]),
  targets: array('float32', [2, 3], [0, 1, 0.5, 1, 0, 0.25]),
};

describe.each(Object.entries(costs))('%s', (_name, cost) => {
  const outputs = [cost, ...grad(cost, [x])];

  test('takes its stable form, and its gradient divides by nothing', () => {
    expect(opsOf(outputs)).toEqual(expect.arrayContaining(['log', 'div']));
    expect(opsOf(stableForms(outputs, inputs))).not.toContain('log');
    expect(opsOf(stableForms(outputs, inputs))).not.toContain('div');
  });

  test('has the values of the form that was written', async () => {
    const written = await runAsWritten(outputs);
    const stable = await runAsWritten(stableForms(outputs, inputs));
    for (const [at, result] of stable.entries()) expectClose(result, present(written[at]), 1e-6);
  });

  test('stays finite far out', async () => {
    const far = { ...ordinary, x: array('float32', [2, 3], [-120, 0, 120, 300, -300, 20]) };
    for (const engine of ['reference', 'onnxruntime'] as const) {
      const f = await compile({ inputs, outputs, engine, onUnusedInput: 'ignore' });
      const results = await f.run([far.x, far.labels, far.targets]);
      for (const { data } of results) expect([...data].every((one) => Number.isFinite(Number(one)))).toBe(true);
      await f.dispose();
    }
  });
});

test('what is given as an input is not looked behind', async () => {
  const f = await compile({ inputs: [probabilities], outputs: [log(probabilities)], engine: 'reference' });
  const [result] = await f.run([array('float32', [1, 3], [1, 1, 1])]);
  expect([...present(result).data]).toEqual([0, 0, 0]);
});

test('what is similar only stays as it is', () => {
  const others = [
    log(add(softmax(x), 1e-8)),
    sub(2, logistic(x)),
    sub(tensor('ones', 'float32', [null, 3]), logistic(x)),
    mul(exp(x), logistic(x)),
    log(pick(exp(x), labels)),
    log(cast(softmax(x), 'float64')),
  ];
  expect(stableForms(others, inputs)).toEqual(others);
});

test('ops with inner graphs are told apart by more than their names, and are looked into', () => {
  const twice = softmax(call([x], (one) => [mul(one, 2)]).output);
  const thrice = softmax(call([x], (one) => [mul(one, 3)]).output);
  const ratio = mul(div(x, twice), thrice);
  expect(stableForms([ratio], inputs)).toEqual([ratio]);

  const inside = call([x], (one) => [log(softmax(one))]).output;
  expect(printGraph(stableForms([inside], inputs))).toContain('logSoftmax');
});

test('a deep graph that shares much is gone through in one pass', () => {
  let [product, total] = [x, x];
  for (let depth = 0; depth < 60; depth += 1) {
    product = mul(product, product);
    total = add(total, total);
  }
  const outputs = [mul(product, softmax(x)), mul(total, softmax(x))];
  expect(stableForms(outputs, inputs)).toEqual(outputs);
});

test('names and tags survive', () => {
  const named = log(probabilities);
  named.name = 'scores';
  const [stable] = stableForms([named], inputs);
  expect(stable).not.toBe(named);
  expect(present(stable).name).toBe('scores');
  expect(printGraph([present(stable)])).toContain('logSoftmax');
});

function stableForms(outputs: readonly Variable[], given: readonly Variable[]): Variable[] {
  return rewritten(outputs, { inputs: given, stages: [STABLE_FORMS] }).outputs;
}

function opsOf(outputs: readonly Variable[]): string[] {
  return toposort(outputs).map((node) => node.op.name);
}

async function runAsWritten(outputs: readonly Variable[]): Promise<readonly NdArray[]> {
  const executable = compileOnHost({ name: 'f', inputs, outputs }, { rounding: 'results', on: 'engine' });
  return Promise.all((await executable.run(Object.values(ordinary))).map((result) => result.take()));
}
