import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { ndarray, RandomStreams, readSafetensors, type NdArray } from '@longrun/serialization';
import {
  add,
  compile,
  cast,
  concatenate,
  identity,
  matrix,
  mean,
  mul,
  shared,
  square,
  sub,
  tap,
  type CompiledFunction,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  addAnnotation,
  addRole,
  ALGORITHM_BUFFER,
  AUXILIARY,
  CompositeRule,
  ComputationGraph,
  Constant,
  DatasetEvaluator,
  DataStreamMonitoring,
  FeedforwardSequence,
  FinishAfter,
  GradientDescent,
  Linear,
  MainLoop,
  PARAMETER,
  PERSISTENT,
  restoreSnapshot,
  Scale,
  takeLast,
  TrainingExtension,
  writeSnapshot,
  type StepRule,
} from '../src/index.js';
import { RunningMean } from './running-mean.js';
import { StopAt } from './stop-at.js';
import { sequential, tinyDataset, tinyExperiment } from './tiny-experiment.js';
import { collectWarnings } from './warnings.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-saved-'));
});
afterAll(() => rm(folder, { recursive: true }));

const STEPS = 9;

interface Parts {
  cost: Variable;
  readonly hidden: Variable;
  readonly linear: Linear;
  readonly extensions: TrainingExtension[];
  /** Added to the algorithm. */
  readonly updates: (readonly [SharedVariable, Variable])[];
  stepRule: StepRule;
}

/** A small regression to which `vary` adds what is to be tested. */
function build(
  vary: (parts: Parts) => void = () => undefined,
  stopAt?: number,
  engine: string = 'reference',
): MainLoop {
  const random = new RandomStreams(2);
  const linear = new Linear({
    inputDim: 3,
    outputDim: 2,
    weightsInit: new Constant(0.25),
    biasesInit: new Constant(0),
  });
  linear.initialize(random);
  const hidden = linear.apply(matrix('features'));
  const cost = mean(square(hidden));
  cost.name = 'cost';
  const parts: Parts = {
    cost,
    hidden,
    linear,
    extensions: [],
    updates: [],
    stepRule: new Scale({ learningRate: 0.1 }),
  };
  vary(parts);
  const algorithm = new GradientDescent({ cost: parts.cost, stepRule: parts.stepRule, onUnusedSources: 'ignore' });
  algorithm.addUpdates(parts.updates);
  return new MainLoop({
    algorithm,
    dataStream: sequential(tinyDataset(20), 4),
    random,
    engine,
    threads: 1,
    extensions: [...parts.extensions, new FinishAfter({ afterNBatches: STEPS }), new StopAt(stopAt)],
  });
}

function moving(average: SharedVariable, value: Variable): readonly [SharedVariable, Variable] {
  return [average, add(average, mul(sub(value, average), 0.1))];
}

function numbers(array: NdArray | undefined): number[] {
  return Array.from<number | bigint, number>(array?.data ?? [], Number);
}

async function valuesOf(variables: readonly SharedVariable[]): Promise<number[][]> {
  return (await Promise.all(variables.map((variable) => variable.getValue()))).map(numbers);
}

async function everything(mainLoop: MainLoop): Promise<Record<string, number[]>> {
  const { parameters, algorithm } = await mainLoop.arrays();
  return Object.fromEntries([...parameters, ...algorithm].map(([name, array]) => [name, numbers(array)]));
}

/** Trains with a kill after each of some steps, and once without; both have to end with the same values everywhere. */
async function sameWhenKilled(
  make: (stopAt?: number) => MainLoop,
  watched: () => readonly SharedVariable[],
): Promise<void> {
  const whole = make();
  await whole.run();
  const expected = await everything(whole);
  const values = await valuesOf(watched());
  for (const cut of [1, 5, 8]) {
    const killed = make(cut);
    expect(await killed.run()).toBe('stopped');
    const snapshot = await mkdtemp(path.join(folder, 'cut-'));
    await writeSnapshot(killed, snapshot);
    const successor = make();
    await restoreSnapshot(successor, snapshot);
    await successor.run();
    expect(await everything(successor)).toEqual(expected);
    expect(await valuesOf(watched())).toEqual(values);
  }
}

describe('what training writes is saved:', () => {
  test('a variable without a role that the algorithm updates', async () => {
    let average = shared(0, 'average');
    await sameWhenKilled(
      (stopAt) =>
        build((parts) => {
          average = shared(0, 'average');
          parts.updates.push(moving(average, parts.cost));
        }, stopAt),
      () => [average],
    );
    expect(numbers(await average.getValue())[0]).toBeGreaterThan(0);
  });

  test('a variable whose size changes from step to step', async () => {
    const empty = ndarray('float32', [0, 2]);
    let memory = shared(empty, 'memory', { shape: [null, 2] });
    await sameWhenKilled(
      (stopAt) =>
        build((parts) => {
          memory = shared(empty, 'memory', { shape: [null, 2] });
          parts.updates.push([memory, concatenate([memory, parts.hidden])]);
        }, stopAt),
      () => [memory],
    );
    expect(memory.valueType.shape).toEqual([4 * STEPS, 2]);
  });

  test('an update that is added after the main loop was made', async () => {
    let average = shared(0, 'average');
    await sameWhenKilled(
      (stopAt) => {
        const mainLoop = build(undefined, stopAt);
        average = shared(0, 'average');
        if (!(mainLoop.algorithm instanceof GradientDescent)) throw new Error('no gradient descent');
        mainLoop.algorithm.addUpdates([moving(average, mainLoop.algorithm.outputs[0] ?? average)]);
        return mainLoop;
      },
      () => [average],
    );
  });

  test('the settings of two step rules of one name', async () => {
    await sameWhenKilled(
      (stopAt) =>
        build((parts) => {
          parts.stepRule = new CompositeRule([new Scale({ learningRate: 0.5 }), new Scale({ learningRate: 0.25 })]);
        }, stopAt),
      () => [],
    );
  });

  test('the state of a brick that is no parameter', async () => {
    let seen = shared(0, 'seen');
    await sameWhenKilled(
      (stopAt) =>
        build((parts) => {
          seen = shared(0, 'seen');
          addRole(seen, PERSISTENT);
          addAnnotation(seen, parts.linear);
          parts.updates.push(moving(seen, parts.cost));
        }, stopAt),
      () => [seen],
    );
  });

  test.each(['reference', 'onnxruntime'] as const)('the states of a brick, on %s', async (engine) => {
    let norm = new RunningMean({ dim: 2 });
    const make = (stopAt?: number): MainLoop =>
      build(
        (parts) => {
          norm = new RunningMean({ dim: 2 });
          parts.cost = mean(square(sub(norm.apply(parts.hidden), 1)));
          parts.updates.push(...new ComputationGraph(parts.cost).updates);
        },
        stopAt,
        engine,
      );
    await sameWhenKilled(make, () => norm.states);

    expect(numbers(await norm.stateNamed('seen').getValue())).toEqual([STEPS]);
    expect([...make().inventory.parameters.keys()]).toEqual([
      '/linear.W',
      '/linear.b',
      '/runningmean.mean',
      '/runningmean.seen',
    ]);
    expect((await make().arrays()).parameters.get('/runningmean.mean')?.dtype).toBe('float64');
  });

  test('what monitoring updates', async () => {
    let highest = shared(0, 'highest');
    await sameWhenKilled(
      (stopAt) =>
        build((parts) => {
          highest = shared(0, 'highest');
          const monitored = add(parts.cost, highest);
          monitored.name = 'monitored';
          parts.extensions.push(
            new DataStreamMonitoring({
              variables: [monitored],
              dataStream: sequential(tinyDataset(8), 4),
              updates: new Map([moving(highest, parts.cost)]),
              afterBatch: true,
            }),
          );
        }, stopAt),
      () => [highest],
    );
  });
});

test('what has no name of its own in the model is refused when the main loop is made', () => {
  const twice = (): MainLoop =>
    build((parts) => {
      const options = { inputDim: 2, outputDim: 2, useBias: false, weightsInit: new Constant(1) };
      const parent = new FeedforwardSequence([new Linear(options), new Linear(options)]);
      parent.initialize(new RandomStreams(1));
      parts.cost = mean(square(parent.apply(parts.hidden)));
    });
  const unnamed = (): MainLoop =>
    build((parts) => {
      const offset = shared(0);
      addRole(offset, PERSISTENT);
      parts.cost = add(parts.cost, offset);
    });

  expect(twice).toThrow('Two different variables have the path /feedforwardsequence/linear.W');
  expect(unnamed).toThrow('Model: a persistent variable has no name, `<unnamed>` float32 (); name it');
});

describe('a function of an extension that updates what is not saved', () => {
  /** Compiles and runs a function of its own, which counts, when the main loop calls. */
  class Counting extends TrainingExtension {
    readonly counter = shared(0, 'counter');
    readonly declared: { readonly updated?: boolean; readonly transient?: boolean };
    #count: CompiledFunction | undefined;
    constructor(declared: { readonly updated?: boolean; readonly transient?: boolean }) {
      super();
      this.declared = declared;
    }
    override get updatedVariables(): readonly SharedVariable[] {
      return this.declared.updated === true ? [this.counter] : [];
    }
    override get transientVariables(): readonly SharedVariable[] {
      return this.declared.transient === true ? [this.counter] : [];
    }
    override async afterBatch(): Promise<void> {
      const updates = [[this.counter, add(this.counter, 1)]] as const;
      this.#count ??= await compile({ name: 'count', inputs: [], outputs: [], updates, engine: 'reference' });
      await this.#count.run([]);
    }
  }

  test('fails before its first run, saying what to do', async () => {
    const counting = new Counting({});
    const mainLoop = build(({ extensions }) => extensions.push(counting));

    await expect(mainLoop.run()).rejects.toThrow('count updates `counter` float32 (), which no checkpoint would have');
    expect(mainLoop.status.iterationsDone).toBe(1);
    expect(numbers(await counting.counter.getValue())).toEqual([0]);
  });

  test('fails also where an evaluator runs it', async () => {
    const [total, watched] = [shared(0, 'total'), shared(0, 'watched')];
    class Evaluating extends TrainingExtension {
      override async beforeEpoch(): Promise<void> {
        const evaluator = new DatasetEvaluator([watched], { updates: new Map([[total, add(total, 1)]]) });
        await evaluator.evaluate(sequential(tinyDataset(4), 4), { engine: 'reference' });
      }
    }

    await expect(build(({ extensions }) => extensions.push(new Evaluating())).run()).rejects.toThrow(
      'DatasetEvaluator updates `total` float32 (), which no checkpoint would have',
    );
  });

  test('keeps a snapshot from being made while a run is unfinished that nobody awaited', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let counted: Promise<unknown> = Promise.resolve();
    class Careless extends TrainingExtension {
      readonly counter = shared(0, 'counter');
      override get updatedVariables(): readonly SharedVariable[] {
        return [this.counter];
      }
      override async afterBatch(): Promise<void> {
        const updates = [[this.counter, tap(add(this.counter, 1), () => gate)]] as const;
        const count = await compile({ name: 'count', inputs: [], outputs: [], updates, engine: 'reference' });
        counted = count.run([]);
        this.mainLoop.atStepBoundary(async () => void (await writeSnapshot(this.mainLoop, path.join(folder, 'torn'))));
      }
    }
    const careless = new Careless();

    await expect(build(({ extensions }) => extensions.push(careless)).run()).rejects.toThrow(
      'A snapshot between two steps: `counter` float32 () is being updated by a run of count that has not finished; await that run first',
    );
    open();
    await counted;
    expect(numbers(await careless.counter.getValue())).toEqual([1]);
  });

  test('runs when the extension says that it is to be saved, or that it need not be', async () => {
    for (const [declared, saved] of [
      [{ updated: true }, [STEPS]],
      [{ transient: true }, []],
    ] as const) {
      const counting = new Counting(declared);
      const mainLoop = build(({ extensions }) => extensions.push(counting));
      await mainLoop.run();

      expect(numbers(await counting.counter.getValue())).toEqual([STEPS]);
      expect(numbers((await mainLoop.arrays()).algorithm.get('counter'))).toEqual(saved);
    }
  });

  test('runs without a word outside of training', async () => {
    const counter = shared(0, 'counter');
    const count = await compile({
      inputs: [],
      outputs: [],
      updates: [[counter, add(counter, 1)]],
      engine: 'reference',
    });
    await Promise.all([build().run(), count.run([])]);

    expect(numbers(await counter.getValue())).toEqual([1]);
  });
});

test('what an evaluation starts anew each time need not be saved, and does not outlive it', async () => {
  const batches = shared(0, 'batches');
  const counted = takeLast(add(batches, 1));
  counted.name = 'counted';
  const monitoring = new DataStreamMonitoring({
    variables: [counted],
    dataStream: sequential(tinyDataset(12), 4),
    updates: new Map([[batches, add(batches, 1)]]),
    transient: [batches],
    afterBatch: true,
  });
  const mainLoop = build(({ extensions }) => extensions.push(monitoring));
  await mainLoop.run();

  expect([0, 5, STEPS].map((step) => mainLoop.log.row(step)['counted'])).toEqual([3, 3, 3]);
  expect((await mainLoop.arrays()).algorithm.has('batches')).toBe(false);
  expect(() => new DatasetEvaluator([counted], { transient: [batches] })).toThrow(
    'DatasetEvaluator: the transient `batches` float32 () has no update; leave it out, or give it one',
  );
});

test('whatever is updated, by whom and under which name, is saved exactly once, and goes on where it was', async () => {
  const kind = fc.record({
    name: fc.constantFrom(undefined, 'a', 'a_1', 'scale.learning_rate', '/linear.W'),
    role: fc.constantFrom(undefined, PERSISTENT, ALGORITHM_BUFFER, PARAMETER, AUXILIARY),
    ofBrick: fc.boolean(),
    by: fc.constantFrom('algorithm', 'monitoring', 'both'),
    dtype: fc.constantFrom('float32', 'float64'),
  });
  let numbered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(kind, { maxLength: 6 }), fc.integer({ min: 1, max: STEPS - 1 }), async (kinds, cut) => {
      let variables: SharedVariable[] = [];
      const make = (stopAt?: number): MainLoop =>
        build((parts) => {
          variables = kinds.map(({ name, dtype }, at) => shared(at, name, { dtype }));
          const updated = new Map<SharedVariable, Variable>();
          const monitored: Variable[] = [];
          for (const [at, variable] of variables.entries()) {
            const { role, ofBrick, by, dtype } = kinds[at] ?? {};
            if (role !== undefined) addRole(variable, role);
            if (ofBrick ?? false) addAnnotation(variable, parts.linear);
            const next = moving(variable, cast(parts.cost, dtype ?? 'float32'));
            if (by !== 'monitoring') parts.updates.push(next);
            if (by !== 'algorithm') updated.set(...next);
            if (by === 'algorithm') continue;
            const value = identity(variable);
            value.name = `value_${at}`;
            monitored.push(value);
          }
          const dataStream = sequential(tinyDataset(8), 4);
          parts.extensions.push(
            new DataStreamMonitoring({
              variables: [parts.cost, ...monitored],
              dataStream,
              updates: updated,
              afterBatch: true,
            }),
          );
        }, stopAt);
      const results = async (mainLoop: MainLoop): Promise<unknown> => {
        await mainLoop.run();
        return [mainLoop.log.row(STEPS), await everything(mainLoop), await valuesOf(variables)];
      };
      const whole = make();
      const expected = await results(whole);
      const saved = [...whole.inventory.parameters.values(), ...whole.inventory.algorithm.values()];
      for (const variable of variables) expect(saved.filter((one) => one === variable)).toHaveLength(1);
      numbered += [...whole.inventory.algorithm.keys()].filter((name) =>
        /^(shared|scale|\/linear)_\d/.test(name),
      ).length;

      const killed = make(cut);
      await killed.run();
      const snapshot = await mkdtemp(path.join(folder, 'law-'));
      await writeSnapshot(killed, snapshot);
      const successor = make();
      await restoreSnapshot(successor, snapshot);
      expect(await results(successor)).toEqual(expected);
    }),
    { numRuns: 40, seed: 11 },
  );
  expect(numbered).toBeGreaterThan(0);
});

describe('a snapshot of the build in which roles decided', () => {
  const warned = collectWarnings();
  const at = (name: string): string => fileURLToPath(new URL(`fixtures/snapshot-version-1/${name}`, import.meta.url));

  test('is gone on from, to the end of an undisturbed run', async () => {
    const whole = tinyExperiment();
    await whole.run();
    const successor = tinyExperiment();

    expect(await restoreSnapshot(successor, at('plain'))).toMatchObject({ step: 8 });
    const { tensors } = await readSafetensors(path.join(at('plain'), 'algorithm.safetensors'));
    expect((await successor.arrays()).algorithm).toEqual(
      new Map([...(await successor.arrays()).algorithm.keys()].map((name) => [name, tensors.get(name)])),
    );
    await successor.run();
    expect(await warned()).toEqual([]);
    // Written on another machine, it may differ from what this one computes in the last bits.
    const found = await everything(successor);
    for (const [name, values] of Object.entries(await everything(whole))) {
      for (const [index, value] of values.entries()) {
        expect(Math.abs((found[name]?.[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(
          1e-4 * Math.abs(value) + 1e-7,
        );
      }
    }
  });

  test('says what it did not save, and goes on from the first value of that alone', async () => {
    const successor = tinyExperiment();
    const average = shared(0, 'average_cost');
    if (!(successor.algorithm instanceof GradientDescent)) throw new Error('no gradient descent');
    successor.algorithm.addUpdates([moving(average, successor.algorithm.outputs[0] ?? average)]);
    await restoreSnapshot(successor, at('with-an-unsaved-variable'));

    expect(await warned()).toEqual([
      'An older build wrote the checkpoint and did not save average_cost: these go on from their first values, and training ' +
        'may end elsewhere than an undisturbed run. Start anew if that matters',
    ]);
    expect(numbers((await successor.arrays()).algorithm.get('average_cost'))).toEqual([0]);
    expect(numbers((await successor.arrays()).algorithm.get('adam.time'))).toEqual([8]);
  });

  test('with another step rule is refused as ever', async () => {
    await expect(restoreSnapshot(tinyExperiment({ stepRule: new Scale() }), at('plain'))).rejects.toThrow(
      'scale.learning_rate (float64 ()) is missing from it',
    );
  });
});
