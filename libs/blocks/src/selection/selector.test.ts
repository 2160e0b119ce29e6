import { describe, expect, test } from 'vitest';

import { Tanh } from '../bricks/activations.js';
import { FeedforwardSequence } from '../bricks/feedforward-sequence.js';
import { Linear } from '../bricks/linear.js';
import { MLP } from '../bricks/mlp.js';
import { RunningMean } from '../../test/running-mean.js';
import { Path, Selector } from './selector.js';

function linear(name: string): Linear {
  return new Linear({ name, inputDim: 1, outputDim: 1 });
}

describe('a path', () => {
  test.each(['/mlp', '/mlp/linear_0', '/mlp/linear_0.W'])('%s is read and written', (text) => {
    expect(Path.parse(text).toString()).toBe(text);
  });

  test('has brick names and at most one parameter, at the end', () => {
    expect(Path.parse('/mlp/linear_0.W')).toMatchObject({ bricks: ['mlp', 'linear_0'], parameter: 'W' });
    expect(Path.parse('/mlp').equals(new Path(['mlp']))).toBe(true);
    expect(Path.parse('/a').concat(Path.parse('/b.W')).toString()).toBe('/a/b.W');
    expect(() => Path.parse('/a.W').concat(Path.parse('/b'))).toThrow('/a.W is a parameter, there is nothing below it');
  });

  test.each(['', 'mlp', '/mlp/', '/mlp.W/linear', '/mlp.W.b', '//'])('"%s" is not one', (text) => {
    expect(() => Path.parse(text)).toThrow(`"${text}" is not a path`);
  });
});

describe('a selector', () => {
  const mlp = new MLP([new Tanh(), null], { dims: [1, 1, 1] });
  mlp.allocate();
  const selector = new Selector([mlp]);

  test('finds bricks by path', () => {
    expect(selector.select('/mlp/linear_1').bricks).toEqual([mlp.linearTransformations[1]]);
    expect(
      selector
        .select('/mlp')
        .select('/mlp/tanh')
        .bricks.map((brick) => brick.name),
    ).toEqual(['tanh']);
    expect(selector.select('/mlp/linear_9').bricks).toEqual([]);
    expect(() => selector.select('/mlp/linear_0.W')).toThrow('use selectParameters');
  });

  test('finds parameters by path', () => {
    expect(selector.selectParameters('/mlp/linear_1.W')).toEqual([mlp.linearTransformations[1]?.parameterNamed('W')]);
    expect(selector.selectParameters('/mlp/linear_1.U')).toEqual([]);
    expect(() => selector.selectParameters('/mlp')).toThrow('use select');
  });

  test('lists parameters by path, depth first', () => {
    expect([...selector.getParameters().keys()]).toEqual([
      '/mlp/linear_0.W',
      '/mlp/linear_0.b',
      '/mlp/linear_1.W',
      '/mlp/linear_1.b',
    ]);
    expect([...selector.getParameters('b').keys()]).toEqual(['/mlp/linear_0.b', '/mlp/linear_1.b']);
  });

  test('finds and lists states by path, apart from the parameters', () => {
    const norms = ['first', 'second'].map((name) => new RunningMean({ name, dim: 2 }));
    for (const norm of norms) norm.allocate();
    const both = new Selector(norms);

    expect([...both.getStates().keys()]).toEqual(['/first.mean', '/first.seen', '/second.mean', '/second.seen']);
    expect([...both.getStates('mean').values()]).toEqual(norms.map((norm) => norm.stateNamed('mean')));
    expect(both.selectStates('/second.seen')).toEqual([norms[1]?.stateNamed('seen')]);
    expect([both.selectParameters('/second.seen'), both.selectStates('/second.W')]).toEqual([[], []]);
    expect(() => both.selectStates('/second')).toThrow('/second is the path of a brick; use select');
  });

  test('refuses two parameters with one path', () => {
    const sequence = new FeedforwardSequence([linear('same'), linear('same')]);
    sequence.allocate();

    expect(() => new Selector([sequence]).getParameters()).toThrow(
      'Two different variables have the path /feedforwardsequence/same.W; paths name parameters and states in checkpoints and must be unique',
    );
  });

  test('lists a brick with two parents once, by one path', () => {
    const shared = linear('shared');
    const tops = ['b', 'a'].map((name) => new FeedforwardSequence([shared], { name }));
    for (const top of tops) top.allocate();

    expect([...new Selector(tops).getParameters().keys()]).toEqual(['/a/shared.W', '/a/shared.b']);
  });
});
