import { RandomStreams } from '@longrun/serialization';
import { matrix } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { annotationsOf, blocksName } from '../graph/annotations.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { Constant } from '../initialization/constant.js';
import { IsotropicGaussian } from '../initialization/isotropic-gaussian.js';
import { AUXILIARY, BATCH_NORM_POPULATION_MEAN, BIAS, hasRoles, PARAMETER, PERSISTENT, WEIGHT } from '../roles.js';
import { Brick, type Dimension } from './brick.js';
import type { StateOptions } from './brick-variables.js';
import { FeedforwardSequence } from './feedforward-sequence.js';
import { findBricks } from './find-bricks.js';
import { Linear } from './linear.js';
import { MLP } from './mlp.js';
import { Tanh } from './activations.js';
import { lazy } from './lazy.js';

class Parent extends Brick {
  readonly events: string[];
  constructor(children: readonly Brick[], events: string[] = [], name?: string) {
    super({ name });
    this.events = events;
    for (const child of children) this.addChild(child);
  }
  add(child: Brick): void {
    this.addChild(child);
  }
  protected override pushAllocation(): void {
    this.events.push(`push allocation ${this.name}`);
  }
  protected override allocateParameters(): void {
    this.events.push(`allocate ${this.name}`);
  }
  protected override pushInitialization(): void {
    this.events.push(`push initialization ${this.name}`);
  }
  protected override initializeParameters(): void {
    this.events.push(`initialize ${this.name}`);
  }
}

class Image extends Brick {
  readonly size = lazy<readonly number[]>(undefined, 'size');
  protected override dimensionOf(name: string): Dimension | undefined {
    return name === 'image' ? [3, 8, 8] : name === 'mask' ? 0 : super.dimensionOf(name);
  }
}

class Remembering extends Brick {
  readonly options: StateOptions;

  constructor(options: StateOptions = {}) {
    super();
    this.options = options;
  }
  protected override allocateParameters(): void {
    this.parameter('W', [1]);
    this.state('mean', [2], BATCH_NORM_POPULATION_MEAN, this.options);
    this.state('seen', [], AUXILIARY, { dtype: 'int64', initialValue: 3 });
  }
}

class Twice extends Brick {
  protected override allocateParameters(): void {
    this.parameter('W', [1]);
    this.parameter('W', [1]);
  }
}

describe('names and paths', () => {
  test('the name is the class name in lower case unless given', () => {
    expect(new Linear().name).toBe('linear');
    expect(new Linear({ name: 'top' }).name).toBe('top');
  });

  test('names that would break paths are refused', () => {
    expect(() => new Linear({ name: 'a/b' })).toThrow('Brick name "a/b" cannot be part of a path');
    expect(() => new Linear({ name: 'a.b' })).toThrow('cannot be part of a path');
    expect(() => new Linear({ name: '' })).toThrow('cannot be part of a path');
  });

  test('a path goes from the root down', () => {
    const linear = new Linear({ inputDim: 2, outputDim: 3 });
    const root = new Parent([new Parent([linear], [], 'inner')], [], 'root');
    root.allocate();

    expect(linear.uniquePath).toBe('/root/inner/linear');
    expect(linear.hierarchicalName(linear.W)).toBe('/root/inner/linear.W');
  });

  test('with several parents the path goes through the first by name', () => {
    const linear = new Linear();
    const parents = [new Parent([linear], [], 'zebra'), new Parent([linear], [], 'ape')];

    expect(linear.parents).toEqual(parents);
    expect(linear.uniquePath).toBe('/ape/linear');
  });

  test('a child is added once', () => {
    const linear = new Linear();
    const parent = new Parent([linear]);

    expect(() => parent.add(linear)).toThrow('/parent/linear is already a child of /parent');
  });

  test('the hierarchical name of a foreign parameter is refused', () => {
    const [own, other] = [new Linear({ inputDim: 1, outputDim: 1 }), new Linear({ inputDim: 1, outputDim: 1 })];
    own.allocate();
    other.allocate();

    expect(() => own.hierarchicalName(other.W)).toThrow('W is not a parameter or a state of /linear');
  });
});

describe('stages', () => {
  test('configuration is pushed from the top, parameters are made and initialized from the bottom', () => {
    const events: string[] = [];
    const root = new Parent([new Parent([], events, 'left'), new Parent([], events, 'right')], events, 'root');
    root.initialize(new RandomStreams(1));

    expect(events).toEqual([
      'push allocation root',
      'push allocation left',
      'push allocation right',
      'allocate left',
      'allocate right',
      'allocate root',
      'push initialization root',
      'push initialization left',
      'push initialization right',
      'initialize left',
      'initialize right',
      'initialize root',
    ]);
  });

  test('the flags tell the stage', () => {
    const linear = new Linear({
      inputDim: 2,
      outputDim: 2,
      weightsInit: new Constant(1),
      biasesInit: new Constant(0),
    });
    const flags = (): boolean[] => [
      linear.allocationConfigPushed,
      linear.allocated,
      linear.initializationConfigPushed,
      linear.initialized,
    ];

    expect(flags()).toEqual([false, false, false, false]);
    linear.pushAllocationConfig();
    expect(flags()).toEqual([true, false, false, false]);
    linear.allocate();
    expect(flags()).toEqual([true, true, false, false]);
    linear.initialize(new RandomStreams(1));
    expect(flags()).toEqual([true, true, true, true]);
    linear.allocate();
    expect(flags()).toEqual([true, true, true, false]);
  });

  test('a failure below leaves the configuration not pushed', () => {
    class Failing extends Brick {
      protected override pushAllocation(): void {
        throw new Error('no');
      }
    }
    const parent = new Parent([new Failing()]);

    expect(() => parent.pushAllocationConfig()).toThrow('no');
    expect(parent.allocationConfigPushed).toBe(false);
  });

  test('what is set on a child after pushing stays', async () => {
    const mlp = new MLP([new Tanh(), null], {
      dims: [2, 3, 1],
      weightsInit: new Constant(1),
      biasesInit: new Constant(0),
    });
    mlp.pushInitializationConfig();
    const [first, second] = mlp.linearTransformations;
    if (!(first instanceof Linear) || !(second instanceof Linear)) throw new Error('not linear');
    second.weightsInit = new Constant(5);
    mlp.initialize(new RandomStreams(1));

    expect([(await first.W.getValue()).data[0], (await second.W.getValue()).data[0]]).toEqual([1, 5]);
  });

  test('missing arguments are named, with the path of the brick', () => {
    const parent = new Parent([new Linear({ inputDim: 3 })]);

    expect(() => parent.allocate()).toThrow(
      '/parent/linear: allocation config not set: outputDim; give it to the constructor, or set outputDim.value',
    );
    expect(() => new Linear().allocate()).toThrow('/linear: allocation config not set: inputDim, outputDim');
    expect(() => new MLP([null]).allocate()).toThrow('/mlp: allocation config not set: dims[0], dims[1]');
    expect(() => new Linear().inputDim.value).toThrow('allocation config not set: inputDim');
  });

  test('an argument may be set later', () => {
    const linear = new Linear({ inputDim: 3 });
    linear.outputDim.value = 4;
    linear.allocate();

    expect(linear.W.shape).toEqual([3, 4]);
  });

  test('a missing initialization is named', () => {
    const random = new RandomStreams(1);

    expect(() => new Linear({ inputDim: 1, outputDim: 1, biasesInit: new Constant(0) }).initialize(random)).toThrow(
      '/linear: initialization config not set: weightsInit; give weightsInit to the brick or to a parent of it',
    );
    expect(() => new Linear({ inputDim: 1, outputDim: 1, weightsInit: new Constant(0) }).initialize(random)).toThrow(
      'initialization config not set: biasesInit',
    );
  });
});

describe('parameters', () => {
  test('are NaN until they are initialized', async () => {
    const linear = new Linear({ inputDim: 2, outputDim: 3 });
    linear.allocate();

    expect(
      [...(await linear.W.getValue()).data, ...(await linear.b.getValue()).data].every((value) =>
        Number.isNaN(Number(value)),
      ),
    ).toBe(true);
    expect((await linear.W.getValue()).data).toHaveLength(6);
  });

  test('have roles, names and the brick as annotation', () => {
    const linear = new Linear({ inputDim: 2, outputDim: 3 });
    linear.allocate();

    expect(hasRoles(linear.W, [WEIGHT])).toBe(true);
    expect(hasRoles(linear.b, [BIAS])).toBe(true);
    expect(hasRoles(linear.b, [PARAMETER])).toBe(true);
    expect([linear.W.name, blocksName(linear.W)]).toEqual(['W', 'W']);
    expect(annotationsOf(linear.W)).toEqual([linear]);
    expect(linear.parameters).toEqual([linear.W, linear.b]);
  });

  test('are missed before allocation, with the remedy', () => {
    expect(() => new Linear().W).toThrow('/linear.W is not allocated yet; call allocate() or initialize() first');
    const linear = new Linear({ inputDim: 1, outputDim: 1, useBias: false });
    linear.allocate();
    expect(() => linear.b).toThrow('/linear has no parameter b; it has W');
  });

  test('of one brick have different names', () => {
    expect(() => new Twice().allocate()).toThrow('/twice has two parameters or states named W');
  });

  test('are made anew by allocating again', () => {
    const linear = new Linear({ inputDim: 1, outputDim: 1 });
    linear.allocate();
    const before = linear.W;
    linear.allocate();

    expect(linear.W).not.toBe(before);
    expect(linear.parameters).toHaveLength(2);
    expect(linear.auxiliaryVariables.map((variable) => variable.name)).toEqual(['W_norm', 'b_norm']);
  });

  test('shared by two parents stay the same when the second is applied', () => {
    const shared = new Linear({ name: 'shared', inputDim: 2, outputDim: 2 });
    const [first, second] = ['a', 'b'].map((name) => new FeedforwardSequence([shared], { name }));
    const one = new ComputationGraph(first?.apply(matrix('x')) ?? []).parameters;
    const other = new ComputationGraph(second?.apply(matrix('x')) ?? []).parameters;

    expect(one).toHaveLength(2);
    expect(other).toEqual(one);
    expect(shared.parameters.every((parameter) => one.includes(parameter))).toBe(true);
  });

  test('draw from a stream that their path names, whatever else is initialized', async () => {
    const init = { weightsInit: new IsotropicGaussian(), biasesInit: new IsotropicGaussian() };
    const values = async (activations: number, seed: number): Promise<string> => {
      const dims = [2, 2, 2, 2].slice(0, activations + 1);
      const mlp = new MLP(
        Array.from({ length: activations }, () => null),
        { dims, ...init },
      );
      mlp.initialize(new RandomStreams(seed));
      const [first] = mlp.linearTransformations;
      if (!(first instanceof Linear)) throw new Error('not linear');
      return [...(await first.W.getValue()).data, ...(await first.b.getValue()).data].join();
    };

    expect(await values(1, 1)).toBe(await values(3, 1));
    expect(await values(1, 1)).not.toBe(await values(1, 2));
  });

  test('of bricks side by side differ', async () => {
    const mlp = new MLP([null, null], {
      dims: [2, 2, 2],
      weightsInit: new IsotropicGaussian(),
      biasesInit: new Constant(0),
    });
    mlp.initialize(new RandomStreams(1));
    const [first, second] = await Promise.all(
      mlp.linearTransformations.map(async (linear) => (await linear.parameterNamed('W').getValue()).data.join()),
    );

    expect(first).not.toBe(second);
  });
});

describe('states', () => {
  test('have their first value, dtype, roles and path, and are no parameters', async () => {
    const brick = new Remembering({ dtype: 'float64', initialValue: 0.5 });
    brick.allocate();
    const [average, seen] = [brick.stateNamed('mean'), brick.stateNamed('seen')];

    expect(await average.getValue()).toEqual({ dtype: 'float64', shape: [2], data: Float64Array.of(0.5, 0.5) });
    expect(await seen.getValue()).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(3n) });
    expect([hasRoles(average, [BATCH_NORM_POPULATION_MEAN]), hasRoles(average, [PARAMETER])]).toEqual([true, false]);
    expect(hasRoles(seen, [PERSISTENT, AUXILIARY], { matchAll: true })).toBe(true);
    expect(brick.hierarchicalName(average)).toBe('/remembering.mean');
    expect([blocksName(average), annotationsOf(average)]).toEqual(['mean', [brick]]);
    expect(brick.states).toEqual([average, seen]);
    expect(brick.parameters.map(String)).toEqual(['W']);
  });

  test('have it again when the brick is initialized', async () => {
    const brick = new Remembering({ initialValue: 1 });
    brick.allocate();
    const average = brick.stateNamed('mean');
    average.setValue({ dtype: 'float32', shape: [2], data: Float32Array.of(7, 8) });
    brick.initialize(new RandomStreams(1));

    expect([...(await average.getValue()).data]).toEqual([1, 1]);
  });

  test('are missed before allocation, with the remedy', () => {
    expect(() => new Remembering().stateNamed('mean')).toThrow(
      '/remembering.mean is not allocated yet; call allocate()',
    );
    const brick = new Remembering();
    brick.allocate();
    expect(() => brick.stateNamed('W')).toThrow('/remembering has no state W; it has mean, seen');
  });

  test('have no value that their dtype has not', () => {
    for (const [dtype, initialValue] of [
      ['int32', 0.5],
      ['int64', 0.5],
      ['uint8', -1],
      ['bool', 2],
    ] as const) {
      expect(() => new Remembering({ dtype, initialValue }).allocate()).toThrow(
        `/remembering.mean: the initial value ${initialValue} is no ${dtype}; give another one or a float dtype`,
      );
    }
    new Remembering({ dtype: 'bool', initialValue: 1 }).allocate();
  });

  test('do not share a name with a parameter', () => {
    class Confused extends Remembering {
      protected override allocateParameters(): void {
        super.allocateParameters();
        this.state('W', [1]);
      }
    }

    expect(() => new Confused().allocate()).toThrow('/confused has two parameters or states named W');
  });
});

describe('dimensions', () => {
  test('are told by name: numbers, sizes of images, 0 for a mask', () => {
    expect(new Image().getDims(['image', 'mask'])).toEqual([[3, 8, 8], 0]);
    expect(new Linear({ inputDim: 5 }).getDim('input')).toBe(5);
  });

  test('that are not known are an error', () => {
    expect(() => new Linear().getDim('input')).toThrow('/linear does not know the dimension of "input"');
    expect(new Linear().hasDim('input')).toBe(false);
  });
});

describe('copies', () => {
  test('have the configuration and copies of the children, but no parents', () => {
    const mlp = new MLP([new Tanh(), null], { dims: [2, undefined, 1], weightsInit: new Constant(3), useBias: false });
    const holder = new Parent([mlp]);
    const copy = mlp.copy('twin');
    for (const dim of copy.dims) if (!dim.isSet) dim.value = 7;
    copy.initialize(new RandomStreams(1));

    expect(holder.children).toEqual([mlp]);
    expect(copy).toBeInstanceOf(MLP);
    expect(copy.uniquePath).toBe('/twin');
    expect(copy.children.map((child) => child.uniquePath)).toEqual(['/twin/linear_0', '/twin/tanh', '/twin/linear_1']);
    expect(copy.children.some((child) => mlp.children.includes(child))).toBe(false);
    expect(copy.linearTransformations.map((linear) => linear.parameterNamed('W').shape)).toEqual([
      [2, 7],
      [7, 1],
    ]);
    expect(copy.apply(matrix('x')).shape).toEqual([null, 1]);
    expect([mlp.allocated, mlp.dims[1]?.isSet, mlp.uniquePath]).toEqual([false, false, '/parent/mlp']);
  });

  test('of allocated bricks are refused', () => {
    const linear = new Linear({ inputDim: 1, outputDim: 1 });
    linear.allocate();

    expect(() => linear.copy()).toThrow('/linear: only bricks that are not allocated yet can be copied');
  });
});

test('bricks are found below others, each once (1.18-39)', () => {
  const mlp = new MLP([new Tanh(), null], { dims: [1, 1, 1] });
  const found = findBricks([mlp, ...mlp.children], (brick) => brick instanceof Linear);
  expect(found).toEqual(mlp.linearTransformations);
  expect(findBricks([], () => true)).toEqual([]);
});
