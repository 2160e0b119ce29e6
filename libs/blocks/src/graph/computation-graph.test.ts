import { add, constant, identity, matrix, mul, scalar, scan, shared, sub, sum, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { collectWarnings } from '../../test/warnings.js';
import { MLP } from '../bricks/mlp.js';
import { Tanh } from '../bricks/activations.js';
import { VariableFilter } from '../selection/variable-filter.js';
import { addRole, AUXILIARY, INPUT, OUTPUT, PARAMETER, rolesOf } from '../roles.js';
import { addAnnotation, Annotation } from './annotations.js';
import { ComputationGraph } from './computation-graph.js';

const warned = collectWarnings();

describe('a graph', () => {
  const x = scalar('x');
  const weight = shared(3, 'weight');
  const counter = shared(0, 'counter');
  addRole(weight, PARAMETER);
  const product = mul(x, weight);
  const note = new Annotation();
  const doubled = mul(product, 2);
  note.addAuxiliaryVariable(doubled, { name: 'doubled' });
  note.addUpdate(counter, add(counter, 1));
  addAnnotation(product, note);
  const output = sub(product, constant(1));
  const graph = new ComputationGraph(output);

  test('tells inputs, outputs, shared variables and parameters apart', () => {
    expect(graph.inputs).toEqual([x]);
    expect(graph.outputs).toEqual([output]);
    expect(graph.sharedVariables).toEqual([weight, counter]);
    expect(graph.parameters).toEqual([weight]);
    expect(graph.intermediaryVariables).toContain(product);
    expect(graph.intermediaryVariables).not.toContain(output);
    expect(graph.intermediaryVariables).not.toContain(x);
  });

  test('has auxiliary variables right after the variable whose annotation has them', () => {
    const order = graph.variables;

    expect(graph.auxiliaryVariables).toEqual([doubled]);
    expect(order.indexOf(product)).toBeLessThan(order.indexOf(doubled));
    expect(order.indexOf(doubled)).toBeLessThan(order.indexOf(output));
    expect(new Set(order).size).toBe(order.length);
    expect([...graph]).toEqual(order);
  });

  test('has each variable after those it depends on', () => {
    const mlp = new MLP([new Tanh(), null], { dims: [2, 3, 1] });
    const { variables } = new ComputationGraph(mlp.apply(matrix('x')));

    for (const [at, variable] of variables.entries()) {
      for (const input of variable.owner?.inputs ?? []) expect(variables.indexOf(input)).toBeLessThan(at);
    }
  });

  test('runs as a function, with the updates of annotations and more', async () => {
    const other = shared(5, 'other');
    const compiled = await graph.getFunction({
      engine: 'reference',
      additionalUpdates: new Map([[other, mul(other, 2)]]),
    });
    const [value] = await compiled.run([float32([], [4])]);

    expect(value?.data[0]).toBe(11);
    expect([(await counter.getValue()).data[0], (await other.getValue()).data[0]]).toEqual([1, 10]);
  });

  test('knows what depends on an input', () => {
    expect([x, product, doubled, output].map((variable) => graph.hasInputs(variable))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([weight, counter].map((variable) => graph.hasInputs(variable))).toEqual([false, false]);
  });

  test('has its inputs by name, if names tell them apart', () => {
    expect([...graph.inputsByName()]).toEqual([['x', x]]);
    expect(() => new ComputationGraph(add(scalar('same'), scalar('same'))).inputsByName()).toThrow(
      'Two inputs of the graph are named same; rename one',
    );
    const nameless = scalar('x');
    nameless.name = undefined;
    expect(() => new ComputationGraph(identity(nameless)).inputsByName()).toThrow('An input of the graph has no name');
  });

  test('may have several outputs', () => {
    expect(new ComputationGraph([product, doubled]).outputs).toEqual([product, doubled]);
  });
});

describe('replace', () => {
  const x = scalar('x');
  const value = (graph: ComputationGraph): Promise<number[]> =>
    evaluate(graph.outputs[0] ?? x, [[x, float32([], [2])]]);

  test('puts variables in place of others, in a new graph', async () => {
    const inner = add(x, 1);
    const graph = new ComputationGraph(mul(inner, 10));
    const replaced = graph.replace(new Map([[inner, mul(x, 3)]]));

    expect(await value(replaced)).toEqual([60]);
    expect(await value(graph)).toEqual([30]);
  });

  test('by the same changes nothing', () => {
    const mlp = new MLP([new Tanh(), null], { dims: [2, 3, 1] });
    const graph = new ComputationGraph(mlp.apply(matrix('x')));
    const hidden = new VariableFilter({ roles: [OUTPUT] }).select(graph.variables);

    expect(graph.replace(hidden.map((variable) => [variable, variable])).outputs[0]).toBe(graph.outputs[0]);
    expect(graph.replace([]).outputs[0]).toBe(graph.outputs[0]);
  });

  test('lets a replacement contain what it replaces', async () => {
    const inner = add(x, 1);

    expect(await value(new ComputationGraph(mul(inner, 10)).replace(new Map([[inner, add(inner, 100)]])))).toEqual([
      1030,
    ]);
  });

  test.each(['in order', 'in reverse'])('chains replacements that depend on each other, given %s', async (order) => {
    const first = add(x, 1);
    const second = mul(first, 2);
    const pairs: [Variable, Variable][] = [
      [first, mul(first, 10)],
      [second, add(second, 5)],
    ];
    const given = order === 'in order' ? pairs : pairs.toReversed();

    // ((2 + 1) * 10) * 2 + 5, then minus 1.
    expect(await value(new ComputationGraph(sub(second, 1)).replace(given))).toEqual([64]);
  });

  test('keeps roles and names of what it copies', () => {
    const mlp = new MLP([new Tanh(), null], { dims: [2, 3, 1] });
    const graph = new ComputationGraph(mlp.apply(matrix('x')));
    const [input] = new VariableFilter({ roles: [INPUT], bricks: [Tanh] }).select(graph.variables);
    if (input === undefined) throw new Error('no input');
    const replaced = graph.replace([[input, mul(input, 2)]]);

    expect(outputNames(replaced)).toEqual(outputNames(graph));
    expect(replaced.parameters).toEqual(graph.parameters);
  });

  test('warns about variables that are not there, and about auxiliary ones', async () => {
    const kept = identity(x);
    addRole(kept, AUXILIARY);
    new ComputationGraph(kept).replace([
      [kept, x],
      [scalar('stranger'), x],
    ]);

    expect(await warned()).toEqual([
      'replace was asked to replace identity.0, which is auxiliary',
      'replace was asked to replace stranger, which the graph does not have',
    ]);
  });
});

function outputNames(graph: ComputationGraph): (string | undefined)[] {
  return new VariableFilter({ roles: [OUTPUT] }).select(graph.variables).map((variable) => variable.name);
}

describe('scans', () => {
  const [x, h0, W] = [matrix('x'), scalar('h0'), shared(2, 'W')];
  const [states] = scan(
    (row, h) => {
      const product = mul(h, W);
      product.name = 'product';
      addRole(product, OUTPUT);
      return add(product, sum(row));
    },
    { sequences: [x], outputsInfo: [h0] },
  );
  if (states === undefined) throw new Error('no output');
  const graph = new ComputationGraph(sum(states));

  test('are found, with the variables of their steps (1.5-07, 1.5-25)', () => {
    expect(graph.scans).toEqual([states.owner]);
    expect(graph.scanVariables.map(({ name }) => name)).toEqual(expect.arrayContaining(['x[t]', 'h0[t-1]', 'product']));
    expect(graph.variables).not.toEqual(expect.arrayContaining(graph.scanVariables));
    expect(new ComputationGraph(sum(x)).scans).toEqual([]);
  });

  test('are looked into by filters where asked', () => {
    const filter = new VariableFilter({ roles: [OUTPUT] });

    expect(filter.select(graph.variables)).toEqual([]);
    expect(filter.select(graph.variables, { inside: true }).map(({ name }) => name)).toEqual(['product']);
  });

  test('may have variables of their steps replaced', async () => {
    const [product] = new VariableFilter({ variableName: 'product' }).select(graph.variables, { inside: true });
    if (product === undefined) throw new Error('no product');
    const replaced = graph.replace([[product, mul(product, scalar('mask'))]]);
    const [mask] = replaced.inputs.filter(({ name }) => name === 'mask');
    if (mask === undefined) throw new Error('no mask');

    // h is 1 * 2 * 3 + 1 = 7, then 7 * 2 * 3 + 2 = 44.
    const given = [
      [x, float32([2, 1], [1, 2])],
      [h0, float32([], [1])],
      [mask, float32([], [3])],
    ] as const;
    expect(await evaluate(replaced.outputs[0] ?? x, given)).toEqual([51]);
    expect(await warned()).toEqual([]);
  });
});

test('a snapshot has the value of each variable with a role, on given data (1.5-11)', async () => {
  const mlp = new MLP([new Tanh()], { dims: [2, 1] });
  mlp.allocate();
  const [linear] = mlp.linearTransformations;
  linear?.parameterNamed('W').setValue(float32([2, 1], [1, 2]));
  linear?.parameterNamed('b').setValue(float32([1], [0.5]));
  const graph = new ComputationGraph(mlp.apply(matrix('features')));
  const values = await graph.getSnapshot(new Map([['features', float32([1, 2], [3, -1])]]), { engine: 'reference' });
  const named = [...values].map(([variable, { data }]) => [variable.name, Array.from(data, Number)]);
  expect(named).toContainEqual(['linear_0_apply_output', [1.5]]);
  expect(named).toContainEqual(['W', [1, 2]]);
  expect([...values.keys()].every((variable) => rolesOf(variable).length > 0)).toBe(true);
  await expect(graph.getSnapshot(new Map())).rejects.toThrow('getSnapshot: there are no data for features');
});
