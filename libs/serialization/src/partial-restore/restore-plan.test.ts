import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { TensorFacts } from '../safetensors/safetensors-file.js';
import { planRestore, type RestoreOptions } from './restore-plan.js';
import { RestoreRefused } from './restore-refused.js';

const float32 = (...shape: number[]): TensorFacts => ({ dtype: 'float32', shape });

/** A model with an encoder and a head. */
const WANTED = new Map([
  ['/encoder/layer_0.W', float32(4, 8)],
  ['/encoder/layer_0.b', float32(8)],
  ['/head.W', float32(8, 3)],
]);

describe('by default', () => {
  test('all is restored from the same names, whatever their order', () => {
    const { restored, kept, ignored } = plan([...WANTED].toReversed());

    expect(restored.map(({ name, from }) => [name, from])).toEqual([...WANTED.keys()].map((name) => [name, name]));
    expect([kept, ignored]).toEqual([[], []]);
  });

  test('every difference is refused at once, with both shapes, the nearest names and what to do', () => {
    const { faults, message } = refusal([
      ['/encoder/layer_1.W', float32(4, 8)],
      ['/encoder/layer_0.b', float32(9)],
      ['/head.W', { dtype: 'float64', shape: [8, 3] }],
      ['adam.time', float32()],
    ]);

    expect(faults.map(({ kind }) => kind)).toEqual(['shape', 'dtype', 'missing', 'unexpected', 'unexpected']);
    expect(message.split('\n')).toEqual([
      'model.npz does not fit what is to be restored from it, and nothing was:',
      '- "/encoder/layer_0.b" is float32 (8) but it is float32 (9) there',
      '- "/head.W" is float32 (8, 3) but it is float64 (8, 3) there',
      '- "/encoder/layer_0.W" (float32 (4, 8)) is missing; there is "/encoder/layer_1.W"',
      '- "/encoder/layer_1.W" (float32 (4, 8)) is there but not wanted; wanted is "/encoder/layer_0.W"',
      '- "adam.time" (float32 ()) is there but not wanted',
      "let what has another shape stay as it is with onShapeMismatch: 'keep', or take the part that both have with 'overlap'; " +
        "convert values that may change by it with onDTypeMismatch: 'cast'; " +
        "rename what has another name, or let what is missing stay as it is with onMissing: 'keep'; " +
        "leave out what is not wanted with onUnexpected: 'ignore'",
    ]);
  });

  test('a dtype that holds every value is converted to', () => {
    const wanted = new Map([['w', { dtype: 'float64', shape: [2] } as const]]);

    expect(planRestore(sourceOf([['w', float32(2)]]), wanted).restored).toHaveLength(1);
  });
});

describe('a policy', () => {
  test('keeps what is missing', () => {
    const { restored, kept } = plan([['/head.W', float32(8, 3)]], { onMissing: 'keep' });

    expect(restored.map(({ name }) => name)).toEqual(['/head.W']);
    expect(kept).toEqual([
      { name: '/encoder/layer_0.W', reason: 'missing' },
      { name: '/encoder/layer_0.b', reason: 'missing' },
    ]);
  });

  test('ignores what is not wanted', () => {
    const { ignored } = plan([...WANTED, ['adam.time', float32()]], { onUnexpected: 'ignore' });

    expect(ignored).toEqual([{ name: 'adam.time', reason: 'unexpected' }]);
  });

  const GREW: [string, TensorFacts][] = [...WANTED, ['/head.W', float32(8, 2)]];

  test('keeps what has another shape', () => {
    const { restored, kept, ignored } = plan(GREW, { onShapeMismatch: 'keep' });

    expect(restored).toHaveLength(2);
    expect(kept).toEqual([{ name: '/head.W', reason: 'shape' }]);
    expect(ignored).toEqual([{ name: '/head.W', reason: 'shape' }]);
  });

  test('takes the part that both have, of as many axes only', () => {
    expect(plan(GREW, { onShapeMismatch: 'overlap' }).restored.at(-1)).toEqual({
      name: '/head.W',
      from: '/head.W',
      wanted: float32(8, 3),
      found: float32(8, 2),
    });
    const flat = refusal([...WANTED, ['/head.W', float32(24)]], { onShapeMismatch: 'overlap' });
    expect(flat.faults).toMatchObject([{ kind: 'shape', name: '/head.W' }]);
  });

  test('casts from any dtype', () => {
    const doubles = [...WANTED].map(([name, { shape }]): [string, TensorFacts] => [name, { dtype: 'float64', shape }]);

    expect(refusal(doubles).faults.map(({ kind }) => kind)).toEqual(['dtype', 'dtype', 'dtype']);
    expect(plan(doubles, { onDTypeMismatch: 'cast' }).restored).toHaveLength(3);
  });
});

describe('select', () => {
  test('restores a part, and neither misses nor minds the others on either side', () => {
    const source: [string, TensorFacts][] = [...WANTED, ['/head.W', float32(8, 99)], ['/decoder.W', float32(1)]];

    for (const select of ['/encoder/**', ['**.b', '/encoder/layer_?.W'], (name: string) => name.includes('encoder')]) {
      const { restored, kept, ignored } = plan(source, { select });
      expect(restored.map(({ name }) => name)).toEqual(['/encoder/layer_0.W', '/encoder/layer_0.b']);
      expect(kept).toEqual([{ name: '/head.W', reason: 'not selected' }]);
      expect(ignored).toEqual(['/head.W', '/decoder.W'].map((name) => ({ name, reason: 'not selected' })));
    }
  });

  test('misses what it selects', () => {
    expect(refusal([['/encoder/layer_0.W', float32(4, 8)]], { select: '/encoder/**' }).faults).toMatchObject([
      { kind: 'missing', name: '/encoder/layer_0.b' },
    ]);
  });

  test('takes a star for no slash, and no other character for anything but itself', () => {
    const names = (select: string): string[] => plan([...WANTED], { select }).restored.map(({ name }) => name);

    expect(names('/*.W')).toEqual(['/head.W']);
    expect(names('**.W')).toEqual(['/encoder/layer_0.W', '/head.W']);
    expect(() => names('/head?W?')).toThrow(RestoreRefused);
    expect(() => names('/headxW|/head.W')).toThrow(RestoreRefused);
  });

  test('that chooses nothing is a slip, and refused', () => {
    const slips = { select: ['/encoder/**', '/haed.W'] };

    expect(refusal([...WANTED], slips).faults).toEqual([{ kind: 'unused', option: 'select', name: '/haed.W' }]);
    expect(() => plan([...WANTED], { select: (name) => name.startsWith('head') })).toThrow(
      /name\.startsWith\(.*\)" of select chooses no name that is wanted/,
    );
    expect(() => plan([...WANTED], { select: [] })).toThrow('select: there is no pattern in the list');
  });
});

describe('rename', () => {
  const OLD: [string, TensorFacts][] = [...WANTED].map(([name, facts]) => [name.replace('/encoder', '/old'), facts]);

  test('gives names of the source their names among those wanted', () => {
    const listed = { '/old/layer_0.W': '/encoder/layer_0.W', '/old/layer_0.b': '/encoder/layer_0.b' };

    for (const rename of [
      listed,
      new Map(Object.entries(listed)),
      (name: string) => name.replace('/old', '/encoder'),
    ]) {
      expect(plan(OLD, { rename }).restored.map(({ name, from }) => [name, from])).toEqual([
        ['/encoder/layer_0.W', '/old/layer_0.W'],
        ['/encoder/layer_0.b', '/old/layer_0.b'],
        ['/head.W', '/head.W'],
      ]);
    }
  });

  test('comes before select', () => {
    const rename = (name: string): string => name.replace('/old', '/encoder');

    expect(plan(OLD, { rename, select: '/encoder/**' }).restored).toHaveLength(2);
  });

  test('of two to one name, or of a name that there is not, is refused', () => {
    const twice = refusal([...WANTED, ['/copy.W', float32(8, 3)]], {
      rename: { '/copy.W': '/head.W', '/cpoy.W': '/x' },
    });

    expect(twice.faults).toEqual([
      { kind: 'unused', option: 'rename', name: '/cpoy.W' },
      { kind: 'ambiguous', name: '/head.W', from: ['/head.W', '/copy.W'] },
    ]);
  });
});

test('names that start and end alike are near, the most alike first, three at most', () => {
  const others = ['/a/mlp/linear_0.W', '/mlp/linear_00.W', '/mlp/linear_10.W', '/b/c/mlp/linear_0.W', '/lookup.W'];
  const source = sourceOf(others.map((name) => [name, float32(1)]));
  const [fault] = refused(() =>
    planRestore(source, new Map([['/mlp/linear_0.W', float32(1)]]), { onUnexpected: 'ignore' }),
  ).faults;

  expect(fault).toMatchObject({ nearest: ['/mlp/linear_00.W', '/mlp/linear_10.W', '/a/mlp/linear_0.W'] });
});

test('of very many names the first thousand are compared', () => {
  const others = Array.from({ length: 1_001 }, (_, i) => `/mlp/linear_${i}.W`);
  const nearestOf = (wanted: string): unknown =>
    refused(() =>
      planRestore(sourceOf(others.map((name) => [name, float32(1)])), new Map([[wanted, float32(1)]]), {
        onUnexpected: 'ignore',
      }),
    ).faults[0];

  expect(nearestOf('/mlp/linear_999.V')).toMatchObject({
    nearest: expect.arrayContaining(['/mlp/linear_99.W']) as unknown,
  });
  expect(nearestOf('/mlp/linear_1000.Wx')).not.toMatchObject({
    nearest: expect.arrayContaining([others[1_000]]) as unknown,
  });
});

test('each wanted name is restored or kept, each of the source restored or ignored, once', () => {
  const paths = fc.constantFrom('/a.W', '/a.b', '/b/c.W', '/d');
  const tensors = fc.dictionary(paths, fc.constantFrom(float32(2), float32(3), float32(2, 2)));
  const lenient = fc.record({
    select: fc.option(
      fc.constantFrom<RestoreOptions['select']>((name: string) => name !== '/d'),
      { nil: undefined },
    ),
    onShapeMismatch: fc.constantFrom('keep' as const),
    onMissing: fc.constantFrom('keep' as const),
    onUnexpected: fc.constantFrom('ignore' as const),
  });
  fc.assert(
    fc.property(tensors, tensors, lenient, (found, wanted, options) => {
      const names = Object.keys(wanted);
      fc.pre(options.select === undefined || names.some((one) => one !== '/d'));
      const { restored, kept, ignored } = plan(Object.entries(found), options, new Map(Object.entries(wanted)));
      expect([...restored, ...kept].map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      expect([...restored.map(({ from }) => from), ...ignored.map(({ name }) => name)].toSorted()).toEqual(
        Object.keys(found).toSorted(),
      );
    }),
  );
});

function sourceOf(tensors: readonly (readonly [string, TensorFacts])[]) {
  return { where: 'model.npz', tensors: new Map(tensors) };
}

function plan(tensors: readonly (readonly [string, TensorFacts])[], options: RestoreOptions = {}, wanted = WANTED) {
  return planRestore(sourceOf(tensors), wanted, options);
}

function refusal(tensors: readonly (readonly [string, TensorFacts])[], options: RestoreOptions = {}): RestoreRefused {
  return refused(() => plan(tensors, options));
}

function refused(planning: () => unknown): RestoreRefused {
  try {
    planning();
  } catch (error) {
    if (error instanceof RestoreRefused) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
