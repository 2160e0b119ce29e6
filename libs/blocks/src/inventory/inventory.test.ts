import { RandomStreams } from '@longrun/serialization';
import { add, matrix, mean, mul, shared, square, type SharedVariable, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { float32 } from '../../test/tiny-experiment.js';
import { Adam } from '../algorithms/step-rules/adam.js';
import { CompositeRule } from '../algorithms/step-rules/composite-rule.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { BasicMomentum, Momentum } from '../algorithms/step-rules/momentum.js';
import { Scale } from '../algorithms/step-rules/scale.js';
import type { StepRule } from '../algorithms/step-rules/step-rule.js';
import { Linear } from '../bricks/linear.js';
import { Model } from '../graph/model.js';
import { Constant } from '../initialization/constant.js';
import { addRole, BATCH_NORM_POPULATION_MEAN, PARAMETER } from '../roles.js';
import { Inventory, type InventoryOf } from './inventory.js';

function taken(
  stepRule: StepRule,
  updates: readonly (readonly [SharedVariable, Variable])[] = [],
  extensions: InventoryOf['extensions'] = [],
): Inventory {
  const linear = new Linear({ inputDim: 2, outputDim: 1, weightsInit: new Constant(1), biasesInit: new Constant(0) });
  linear.initialize(new RandomStreams(1));
  const cost = mean(square(linear.apply(matrix('x'))));
  const algorithm = new GradientDescent({ cost, stepRule });
  algorithm.addUpdates(updates);
  return new Inventory({ model: new Model(cost), algorithm, extensions });
}

function names(inventory: Inventory): string[] {
  return [...inventory.algorithm.keys()];
}

function written(variable: SharedVariable): readonly [SharedVariable, Variable] {
  return [variable, add(variable, 1)];
}

function extension(updatedVariables: SharedVariable[], transientVariables: SharedVariable[] = []) {
  return { name: 'Probe', updatedVariables, transientVariables };
}

describe('names', () => {
  test('are those of the model, of the step rule, and of buffers after their parameters', () => {
    const inventory = taken(new Adam());

    expect([...inventory.parameters.keys()]).toEqual(['/linear.W', '/linear.b']);
    expect(names(inventory).toSorted()).toEqual([
      '/linear.W:adam.mean',
      '/linear.W:adam.variance',
      '/linear.b:adam.mean',
      '/linear.b:adam.variance',
      'adam.beta1',
      'adam.beta2',
      'adam.decay_factor',
      'adam.epsilon',
      'adam.learning_rate',
      'adam.time',
    ]);
  });

  test('of two step rules with one name are numbered', () => {
    expect(names(taken(new CompositeRule([new Scale(), new Scale()])))).toEqual([
      'scale.learning_rate',
      'scale_1.learning_rate',
    ]);
    expect(names(taken(new CompositeRule([new BasicMomentum(), new BasicMomentum()]))).toSorted()).toEqual([
      '/linear.W:basicmomentum.velocity',
      '/linear.W:basicmomentum_1.velocity',
      '/linear.b:basicmomentum.velocity',
      '/linear.b:basicmomentum_1.velocity',
      'basicmomentum.momentum',
      'basicmomentum_1.momentum',
    ]);
  });

  test('that differ stay as they are, whichever rule has them', () => {
    expect(names(taken(new Momentum())).toSorted()).toEqual([
      '/linear.W:momentum.velocity',
      '/linear.b:momentum.velocity',
      'momentum.learning_rate',
      'momentum.momentum',
    ]);
  });

  test('are given to what has none, and to parameters that share one, with their buffers', () => {
    const parameters = ['w', 'w'].map((name) => shared(float32([1], [1]), name));
    const [first, second] = parameters;
    if (first === undefined || second === undefined) throw new Error('no parameters');
    const algorithm = new GradientDescent({
      gradients: new Map(parameters.map((parameter) => [parameter, mul(parameter, shared(2))])),
      stepRule: new BasicMomentum(),
    });
    const inventory = new Inventory({ model: new Model(mean(matrix('x'))), algorithm, extensions: [] });

    expect(names(inventory)).toEqual([
      'w',
      'w_1',
      'basicmomentum.momentum',
      'shared',
      'shared_1',
      'w:basicmomentum.velocity',
      'w_1:basicmomentum.velocity',
    ]);
  });
});

describe('an inventory', () => {
  test('has all that training reads or writes once, with the model what is PERSISTENT', () => {
    const [counter, mean1] = [shared(0, 'counter'), shared(0, 'population_mean')];
    addRole(mean1, BATCH_NORM_POPULATION_MEAN);
    const inventory = taken(new Scale(), [written(counter), written(mean1)], [extension([counter])]);

    expect([...inventory.parameters.keys()]).toEqual(['/linear.W', '/linear.b', 'population_mean']);
    expect(names(inventory)).toEqual(['counter', 'scale.learning_rate']);
  });

  test('keeps apart a parameter of the model and another variable with its path', () => {
    const impostor = shared(0, '/linear.W');
    addRole(impostor, PARAMETER);

    expect([...taken(new Scale(), [written(impostor)]).parameters.keys()]).toEqual([
      '/linear.W',
      '/linear.b',
      '/linear_1.W',
    ]);
  });

  test('has what extensions update, and refuses what nobody declared', () => {
    const [counter, other, third] = ['counter', 'other', 'third'].map((name) => shared(0, name));
    if (counter === undefined || other === undefined || third === undefined) throw new Error('no variables');
    const inventory = taken(new Scale(), [], [extension([counter], [other])]);

    expect(names(inventory)).toEqual(['scale.learning_rate', 'counter']);
    inventory.check('probe', [counter, other]);
    expect(() => inventory.check('probe', [counter, third])).toThrow(
      'probe updates `third` float32 (), which no checkpoint would have: training that goes on from one would end ' +
        'elsewhere. Give the updates to algorithm.addUpdates() before training starts, or name the variables in ' +
        'updatedVariables of the extension, and they are saved; name those in transientVariables whose values never ' +
        'outlive a step',
    );
  });

  test('does not let pass for transient what training needs from step to step', () => {
    const counter = shared(0, 'counter');

    expect(() => taken(new Scale(), [written(counter)], [extension([], [counter])])).toThrow(
      'Probe: `counter` float32 () is among its transientVariables, but training needs it from step to step; leave it out there',
    );
  });

  test('of an older state has what had a role', () => {
    const counter = shared(0, 'counter');
    const inventory = taken(new Scale(), [written(counter)]);

    expect([...inventory.byRole().algorithm.keys()]).toEqual(['scale.learning_rate']);
    expect([...inventory.byRole().parameters.keys()]).toEqual(['/linear.W', '/linear.b']);
  });
});
