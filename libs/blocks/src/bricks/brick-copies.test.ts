import { RandomStreams } from '@longrun/serialization';
import { matrix, mul, type Variable } from '@longrun/tensor';
import { assert, asyncProperty, constantFrom, integer, option, record, string, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { Constant } from '../initialization/constant.js';
import { Rectifier, Tanh } from './activations.js';
import { application } from './application.js';
import type { BoundApplication } from './bound-application.js';
import { Brick, type BrickOptions } from './brick.js';
import { Linear } from './linear.js';
import { MLP } from './mlp.js';
import { Sequence } from './sequence.js';

interface ScaledOptions extends BrickOptions {
  readonly scale?: number;
  readonly tags?: ReadonlySet<string>;
  readonly parts?: ReadonlyMap<string, Brick>;
}

/** Fields of all kinds: private, functions of the brick, collections, bricks that the options have and one that they have not. */
class Scaled extends Brick {
  readonly #factor: number;
  readonly scaled = (input: Variable): Variable => mul(input, this.#factor * this.times);
  readonly tags: Set<string>;
  readonly parts: ReadonlyMap<string, Brick>;
  readonly inner = new Linear({ name: 'inner' });
  times = 1;

  constructor(options: ScaledOptions = {}) {
    super(options);
    this.#factor = options.scale ?? 2;
    this.tags = new Set(options.tags);
    this.parts = options.parts ?? new Map();
    for (const part of [this.inner, ...this.parts.values()]) this.addChild(part);
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return this.scaled(input);
  }
}

/** Arguments that are no options. */
class Pair extends Brick {
  readonly first: BoundApplication;
  readonly second: Brick;

  constructor(first: BoundApplication, second: Brick, options: BrickOptions = {}) {
    super(options);
    this.first = first;
    this.second = second;
    for (const brick of new Set([first.brick, second])) this.addChild(brick);
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.first, this.second, options];
  }
}

test('a copy has what its original was constructed with and what was set since, and nothing in common that can be set', async () => {
  await assert(
    asyncProperty(
      record({
        scale: integer({ min: 1, max: 9 }),
        times: integer({ min: 1, max: 9 }),
        tags: uniqueArray(string(), { maxLength: 3 }),
        parts: integer({ min: 0, max: 2 }),
        inputDim: option(integer({ min: 1, max: 9 }), { nil: undefined }),
        name: option(constantFrom('twin', 'other'), { nil: undefined }),
      }),
      async ({ scale, times, tags, parts, inputDim, name }) => {
        const part = Array.from({ length: parts }, (_, at) => new Linear({ name: `part_${at}` }));
        const original = new Scaled({
          scale,
          tags: new Set(tags),
          parts: new Map(part.map((brick) => [brick.name, brick])),
        });
        original.times = times;
        if (inputDim !== undefined) for (const brick of [original.inner, ...part]) brick.inputDim.value = inputDim;
        original.inner.weightsInit = new Constant(7);
        original.application('apply').setAttribute('kind', 'own');
        const copy = original.copy(name);
        original.tags.add('later');
        original.inner.outputDim.value = 5;
        const x = matrix('x');

        expect(await evaluate(copied(copy).apply(x), [[x, float32([1, 1], [1])]])).toEqual([scale * times]);
        expect([copy.name, [...copy.tags]]).toEqual([name ?? 'scaled', tags]);
        expect(copy.children.map((child) => child.uniquePath)).toEqual([
          `/${copy.name}/inner`,
          ...part.map((brick) => `/${copy.name}/${brick.name}`),
        ]);
        expect(copy.children.some((child) => original.children.includes(child))).toBe(false);
        expect([...copy.parts.values()]).toEqual(copy.children.slice(1));
        expect(copy.inner.inputDim.isSet ? copy.inner.inputDim.value : undefined).toBe(inputDim);
        expect([copy.inner.outputDim.isSet, copy.inner.weightsInit]).toEqual([false, original.inner.weightsInit]);
        expect(copy.application('apply').attribute('kind')).toBe('own');
      },
    ),
    { numRuns: 30 },
  );

  /** The arguments of its parts being set, so that it can be applied. */
  function copied(brick: Scaled): Scaled {
    const twin = brick.copy();
    for (const child of twin.children) {
      if (!(child instanceof Linear)) continue;
      child.inputDim.value = 1;
      child.outputDim.value = 1;
    }
    return twin;
  }
});

describe('copies', () => {
  test('of what stands twice are one', () => {
    const shared = new Linear({ name: 'shared' });
    const pair = new Pair(shared.application('apply'), shared).copy('twin');

    expect(pair.first).toBe(pair.second.application('apply'));
    expect([pair.second.uniquePath, shared.uniquePath]).toEqual(['/twin/shared', '/pair/shared']);
  });

  test('of sequences and MLPs have copies of their activations, and initialize alike', async () => {
    const mlp = new MLP([new Tanh(), new Rectifier({ name: 'top' })], { dims: [2, 3, undefined] });
    const copy = new Sequence([mlp, new Tanh({ name: 'last' })], { useBias: false }).copy('twin').children[0];
    if (!(copy instanceof MLP)) throw new Error('no MLP');

    expect(copy.activations.map((activation) => activation?.uniquePath)).toEqual(['/twin/mlp/tanh', '/twin/mlp/top']);
    expect(copy.children).toEqual(
      [copy.linearTransformations, copy.activations]
        .map((row) => row[0])
        .concat([copy.linearTransformations, copy.activations].map((row) => row[1])),
    );
    expect(copy.dims.map((dim) => (dim.isSet ? dim.value : undefined))).toEqual([2, 3, undefined]);
  });

  test('of bricks whose configuration was pushed keep what was set on the children since', async () => {
    const mlp = new MLP([null], { dims: [1, 1], weightsInit: new Constant(1), biasesInit: new Constant(0) });
    mlp.pushInitializationConfig();
    const [linear] = mlp.linearTransformations;
    if (linear instanceof Linear) linear.weightsInit = new Constant(5);
    const copy = mlp.copy();
    copy.initialize(new RandomStreams(1));

    expect(copy.initializationConfigPushed).toBe(true);
    expect([...((await copy.linearTransformations[0]?.parameterNamed('W').getValue())?.data ?? [])]).toEqual([5]);
  });
});

describe('what cannot be copied says so', () => {
  test('a class that keeps its options to itself', () => {
    class Quiet extends Brick {
      readonly size: number;
      constructor(size = 3) {
        super();
        this.size = size;
      }
    }
    class Changing extends Linear {
      constructor(options: BrickOptions = {}) {
        super({ ...options, useBias: false });
      }
    }

    expect(() => new Quiet(4).copy()).toThrow(
      '/quiet cannot be copied: Quiet does not hand up the options that it is given; ' +
        'call super(options) with them, or override constructorArguments()',
    );
    expect(() => new Changing().copy()).toThrow('/changing cannot be copied: Changing does not hand up');
  });

  test('a brick with children that its constructor does not add', () => {
    class Open extends Brick {
      add(child: Brick): void {
        this.addChild(child);
      }
    }
    const open = new Open();
    open.add(new Tanh());

    expect(() => open.copy()).toThrow(
      '/open cannot be copied: its constructor adds the children none but it has tanh (Tanh); add them all in the constructor',
    );
  });

  test('a part that is allocated', () => {
    const part = new Linear({ name: 'part', inputDim: 1, outputDim: 1 });
    part.allocate();

    expect(() => new Pair(part.application('apply'), part).copy()).toThrow(
      '/pair/part: only bricks that are not allocated yet can be copied',
    );
  });
});
