import { ndarray, RandomStreams } from '@longrun/serialization';
import { add, matrix, mean, mul, shared, sum } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { float32 } from '../../test/tiny-experiment.js';
import { collectWarnings } from '../../test/warnings.js';
import { Tanh } from '../bricks/activations.js';
import { FeedforwardSequence } from '../bricks/feedforward-sequence.js';
import { Linear } from '../bricks/linear.js';
import { MLP } from '../bricks/mlp.js';
import { Softmax } from '../bricks/softmax.js';
import { Constant } from '../initialization/constant.js';
import { addRole, BATCH_NORM_POPULATION_MEAN, PARAMETER } from '../roles.js';
import { addAnnotation } from './annotations.js';
import { Model } from './model.js';

const warned = collectWarnings();
const init = { weightsInit: new Constant(1), biasesInit: new Constant(0) };

function linear(name: string): Linear {
  return new Linear({ name, inputDim: 2, outputDim: 2, ...init });
}

describe('a model', () => {
  test('knows the roots of its bricks', () => {
    const mlp = new MLP([new Tanh(), null], { dims: [2, 2, 2] });
    const softmax = new Softmax();

    expect(new Model(softmax.apply(mlp.apply(matrix('x')))).topBricks).toEqual([mlp, softmax]);
  });

  test('refuses two roots of one name', () => {
    const graph = linear('same').apply(linear('same').apply(matrix('x')));

    expect(() => new Model(graph)).toThrow('Model: two top bricks are named same');
  });

  test('has the parameters of its bricks by path, used or not, and those without brick by name', () => {
    const [used, unused] = [linear('used'), linear('unused')];
    const sequence = new FeedforwardSequence([used, unused], { name: 'top' });
    sequence.allocate();
    const scale = shared(2, 'scale');
    addRole(scale, PARAMETER);
    const model = new Model(mul(used.apply(matrix('x')), scale));

    expect([...model.getParameterDict().keys()]).toEqual([
      '/top/used.W',
      '/top/used.b',
      '/top/unused.W',
      '/top/unused.b',
      'scale',
    ]);
    expect(model.pathOf(used.W)).toBe('/top/used.W');
    expect(model.pathOf(matrix('x'))).toBeUndefined();
  });

  test('saves what is PERSISTENT besides the parameters', () => {
    const population = shared(0, 'population_mean');
    addRole(population, BATCH_NORM_POPULATION_MEAN);
    const model = new Model(add(linear('top').apply(matrix('x')), population));

    expect([...model.getPersistentDict().keys()]).toEqual(['/top.W', '/top.b', 'population_mean']);
    expect([...model.getParameterDict().keys()]).toEqual(['/top.W', '/top.b']);
  });

  test('refuses what it cannot name, saying whose it is', () => {
    const brick = linear('top');
    const output = brick.apply(matrix('x'));
    const [unnamed, ofBrick] = [shared(0), shared(0)];
    for (const variable of [unnamed, ofBrick]) addRole(variable, BATCH_NORM_POPULATION_MEAN);
    addAnnotation(ofBrick, brick);

    expect(() => new Model(add(output, unnamed)).getPersistentDict()).toThrow(
      'Model: a persistent variable has no name, `<unnamed>` float32 (); name it, so that it can be saved',
    );
    expect(() => new Model(add(output, ofBrick)).getPersistentDict()).toThrow(
      'a persistent variable of /top has no name',
    );
  });

  test('refuses parameters that names do not tell apart', () => {
    const [first, second] = [shared(0, 'same'), shared(0, 'same')];
    for (const variable of [first, second]) addRole(variable, PARAMETER);

    expect(() => new Model(add(first, second)).getParameterDict()).toThrow(
      'Two different variables have the path same',
    );
  });
});

describe('values of parameters', () => {
  const brick = linear('top');
  const model = new Model(mean(brick.apply(matrix('x'))));
  brick.initialize(new RandomStreams(1));

  test('are read and set by path, and what does not match is told', async () => {
    const values = new Map([
      ['/top.W', float32([2, 2], [1, 2, 3, 4])],
      ['/elsewhere.W', float32([1], [0])],
    ]);

    expect(model.setParameterValues(values)).toEqual({ unknown: ['/elsewhere.W'], missing: ['/top.b'] });
    expect([...((await model.getParameterValues()).get('/top.W')?.data ?? [])]).toEqual([1, 2, 3, 4]);
  });

  test('of another shape or dtype are refused, and nothing is set', async () => {
    const before = (await model.getParameterValues()).get('/top.b');
    const wrongShape = new Map([
      ['/top.b', float32([2], [9, 9])],
      ['/top.W', float32([2, 3], [0, 0, 0, 0, 0, 0])],
    ]);

    expect(() => model.setParameterValues(wrongShape)).toThrow(
      '/top.W has float32 (2, 2) but the value given has float32 (2, 3); give values of a model with the same dimensions',
    );
    expect((await model.getParameterValues()).get('/top.b')).toEqual(before);
    expect(() => model.setParameterValues(new Map([['/top.b', ndarray('float64', [2])]]))).toThrow('float64 (2,)');
  });

  test('of another size are set where the parameter may have it', async () => {
    const rows = shared(float32([1, 2], [1, 2]), 'rows', { shape: [null, 2] });
    addRole(rows, PARAMETER);
    const growing = new Model(sum(rows));
    const [path = ''] = growing.getParameterDict().keys();
    const more = float32([2, 2], [1, 2, 3, 4]);
    growing.setParameterValues(new Map([[path, more]]));

    expect(await rows.getValue()).toEqual(more);
    expect(() => growing.setParameterValues(new Map([[path, float32([2, 3], [1, 2, 3, 4, 5, 6])]]))).toThrow(
      `${path} has float32 (null, 2) but the value given has float32 (2, 3)`,
    );
  });

  test('that an algorithm leaves alone, or does not have, are warned about', async () => {
    const foreign = shared(0, 'foreign');
    model.checkSanity({ parameters: [brick.W, foreign] });
    model.checkSanity({ parameters: [brick.W, brick.b] });
    model.checkSanity({});

    expect(await warned()).toEqual([
      'The algorithm does not train these parameters of the model: /top.b',
      'The algorithm trains parameters that the model does not have: foreign',
    ]);
  });
});
