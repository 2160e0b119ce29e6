import { tensor } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { Identity, Tanh, type Activation } from '../activations.js';
import { Linear } from '../linear.js';
import { Bidirectional } from './bidirectional.js';
import { GatedRecurrent } from './gated-recurrent.js';
import { LSTM } from './lstm.js';
import { RecurrentStack } from './recurrent-stack.js';
import { SimpleRecurrent } from './simple-recurrent.js';

function simple(name: string, activation: Activation = new Tanh()): SimpleRecurrent {
  return new SimpleRecurrent({ name, dim: 2, activation });
}

describe('a stack', () => {
  const transitions = [
    simple('low'),
    new GatedRecurrent({ name: 'middle', dim: 3 }),
    new LSTM({ name: 'top', dim: 4 }),
  ];

  test('names what is of each level, but for the mask (1.9-51, 1.9-52, 1.9-97)', () => {
    const applied = new RecurrentStack({ transitions: transitions.map((brick) => brick.copy()) }).application('apply');

    expect(RecurrentStack.suffix('states', 0)).toBe('states');
    expect(RecurrentStack.suffixes(['states', 'mask'], 2)).toEqual(['states#2', 'mask']);
    expect([applied.sequences, applied.states, applied.contexts]).toEqual([
      ['inputs', 'mask'],
      ['states', 'states#1', 'states#2', 'cells#2'],
      [],
    ]);
    expect(applied.outputs).toEqual(['states', 'states#1', 'states#2', 'cells#2']);
    expect(applied.inputs).toEqual(['inputs', 'mask', 'states', 'states#1', 'states#2', 'cells#2']);
    expect(applied.brick.getDims(['inputs', 'states#1', 'cells#2', 'mask'])).toEqual([2, 3, 4, 0]);
  });

  test('with skip connections takes the inputs of all', () => {
    const stack = new RecurrentStack({ transitions: transitions.map((brick) => brick.copy()), skipConnections: true });

    expect(stack.application('apply').sequences).toEqual(['inputs', 'inputs#1', 'gate_inputs#1', 'inputs#2', 'mask']);
  });

  test('is told what is passed on, and copied with all its levels', () => {
    const prototype = new Linear({ useBias: false });
    const copy = new RecurrentStack({
      transitions: [new LSTM({ name: 'low', dim: 2 }), simple('high')],
      forkPrototype: prototype,
      statesName: 'cells',
    }).copy('twin');

    expect(() => copy.apply({ inputs: tensor('inputs', 'float32', ['time', 'batch', 8]) })).not.toThrow();
    expect(copy.children.map((child) => child.uniquePath)).toEqual(['/twin/low', '/twin/high', '/twin/fork_1']);
    expect(copy.forks[0]?.children.flatMap((child) => child.parameters.map(String))).toEqual(['W']);
  });

  test('refuses what it cannot do, with what to do', () => {
    const inputs = tensor('inputs', 'float32', ['time', 'batch', 2]);
    const stack = new RecurrentStack({ transitions: [simple('low'), simple('high')] });

    expect(() => new RecurrentStack({ transitions: [] })).toThrow('there are no transitions; give at least one');
    expect(() => stack.apply({ inputs }, { reverse: true })).toThrow(
      '/recurrentstack.apply cannot go in reverse; reverse the sequences',
    );
    expect(() => stack.apply({ inputs, 'inputs#1': inputs })).toThrow('/recurrentstack.apply has no input inputs#1');
    expect(() =>
      new RecurrentStack({ transitions: [simple('a'), simple('b')], statesName: 'cells' }).allocate(),
    ).toThrow('does not know the dimension of "cells"');
  });
});

test('both directions are copies with names and sizes of their own (1.9-49)', () => {
  const brick = new Bidirectional({ prototype: simple('rnn', new Identity()) });
  const copy = brick.copy('twin');
  const { states } = brick.apply({ inputs: tensor('inputs', 'float32', ['time', 'batch', 2]) });

  expect(brick.children.map((child) => child.uniquePath)).toEqual([
    '/bidirectional/forward',
    '/bidirectional/backward',
  ]);
  expect(brick.getDims(['inputs', 'states', 'mask'])).toEqual([2, 4, 0]);
  expect([states.name, states.shape]).toEqual(['bidirectional_apply_states', ['time', 'batch', 4]]);
  expect(copy.children.map((child) => child.uniquePath)).toEqual(['/twin/forward', '/twin/backward']);
});
