import { ndarray, sizeOf } from '@longrun/serialization';
import { matrix, mean, square } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { GradientDescent } from '../algorithms/gradient-descent.js';
import { Tanh } from '../bricks/activations.js';
import { MLP } from '../bricks/mlp.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { AUXILIARY, COST, hasRoles, WEIGHT } from '../roles.js';
import { select } from '../selection/selection.js';
import { applyPenalty } from './penalty.js';

const mlp = new MLP([new Tanh(), null], { dims: [2, 3, 1] });
mlp.allocate();
const output = mlp.apply(matrix('x'));
const cost = mean(square(output));
cost.name = 'cost';
const graph = new ComputationGraph(cost);
const weights = select(graph).role(WEIGHT);

test('a penalty can be monitored, and its strength be set while training', async () => {
  for (const {
    parameters: [W],
  } of mlp.linearTransformations) {
    const shape = W?.shape.map(Number) ?? [];
    W?.setValue(ndarray('float32', shape, new Float32Array(sizeOf(shape)).fill(2)));
  }
  const penalized = applyPenalty(graph, weights, { l1: 0.5, l2: 0.25 });
  expect([penalized.cost.name, penalized.penalty.name]).toEqual(['cost_with_penalty', 'penalty']);
  expect([hasRoles(penalized.cost, [COST]), hasRoles(penalized.penalty, [AUXILIARY])]).toEqual([true, true]);
  expect(select(penalized.graph).name('penalty').one()).toBe(penalized.penalty);
  const f = await new ComputationGraph(penalized.penalty).getFunction({ engine: 'reference', threads: 1 });
  // Nine weights of 2.
  expect((await f.run([]))[0]?.data[0]).toBe(0.5 * 18 + 0.25 * 36);
  penalized.hyperparameters.get('l2')?.setValue(ndarray('float64', [], Float64Array.of(0)));
  expect((await f.run([]))[0]?.data[0]).toBe(9);
  await f.dispose();
  const names = new GradientDescent({ cost: penalized.cost }).sharedVariables.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['penalty.l1', 'penalty.l2']));
});

test('several penalties add up', () => {
  const first = applyPenalty(graph, weights, { l2: 1, name: 'first' });
  const second = applyPenalty(first.graph, select(first.graph).role(WEIGHT), { l1: 1, name: 'second' });
  expect(
    select(second.graph)
      .role(AUXILIARY)
      .name(/first|second/u).count,
  ).toBe(2);
});

test('what cannot be is refused', () => {
  expect(() => applyPenalty(new ComputationGraph(output), weights, { l2: 1 })).toThrow(
    'applyPenalty: the graph has the outputs mlp_apply_output; give the graph of one scalar cost',
  );
  expect(() => applyPenalty(graph, [], { l2: 1 })).toThrow('applyPenalty: there are no variables');
  expect(() => applyPenalty(graph, weights, {})).toThrow('applyPenalty: there is neither l1 nor l2; give one of them');
  expect(() => applyPenalty(graph, weights, { l1: -1 })).toThrow('applyPenalty: penalty.l1 is -1; give a number');
});
