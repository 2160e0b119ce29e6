import { ndarray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import { TrainingExtension } from '../extensions/training-extension.js';
import type { AppliedSetting, HyperparameterSetting } from './hyperparameters.js';
import type { LogRow } from '../log/log-value.js';
import type { MainLoop } from './main-loop.js';
import type { TrainingContext } from './training-context.js';

/** A step boundary: that after `6` is where an epoch ends with it. */
type Boundary = `${number}` | `${number}, at the end of an epoch`;

/** Saves the state of each step boundary, and acts there. */
class Boundaries extends TrainingExtension {
  readonly saved = new Map<Boundary, Parameters<MainLoop['restore']>[0]>();
  readonly #act: (mainLoop: TrainingContext, at: Boundary) => void;

  constructor(act: (mainLoop: TrainingContext, at: Boundary) => void = () => {}) {
    super({ name: 'Boundaries' });
    this.#act = act;
  }

  override afterBatch(): void {
    this.#at(`${this.mainLoop.status.iterationsDone}`);
  }

  override afterEpoch(): void {
    this.#at(`${this.mainLoop.status.iterationsDone}, at the end of an epoch`);
  }

  #at(boundary: Boundary): void {
    const { mainLoop } = this;
    mainLoop.atStepBoundary(async () => {
      const state = JSON.parse(JSON.stringify(mainLoop.state()));
      this.saved.set(boundary, { state, ...(await mainLoop.arrays()) });
      this.#act(mainLoop, boundary);
    });
  }
}

/** Halves the learning rate with each epoch. */
class Decay extends TrainingExtension {
  override async afterEpoch(): Promise<void> {
    const { [LEARNING_RATE]: rate = 0 } = await this.mainLoop.hyperparameters.values();
    this.mainLoop.inventory.algorithm.get(LEARNING_RATE)?.setValue(ndarray('float64', [], Float64Array.of(rate / 2)));
  }
}

/** Trains two epochs of six batches; what it ends with, and each row that it logged. */
async function trained(
  boundaries: Boundaries,
  prepare: (mainLoop: MainLoop) => void = () => {},
): Promise<{ end: object; rows: Map<number, LogRow>; applied: readonly AppliedSetting[] }> {
  const mainLoop = tinyExperiment({ epochs: 2, extensions: [new Decay(), boundaries] });
  const rows = new Map<number, LogRow>();
  mainLoop.log.onRow((time, row) => rows.set(time, { ...row }));
  prepare(mainLoop);
  await mainLoop.run();
  const end = { ...(await mainLoop.arrays()), values: await mainLoop.hyperparameters.values() };
  return { end, rows, applied: mainLoop.hyperparameters.applied };
}

const LEARNING_RATE = 'adam.learning_rate';

describe('a hyperparameter', () => {
  test('is set before the next batch, in the order of the settings, and is written to the log', async () => {
    const heard: AppliedSetting[] = [];
    const boundaries = new Boundaries(({ hyperparameters }, at) => {
      if (at !== '3') return;
      hyperparameters.onApplied((setting) => heard.push(setting));
      hyperparameters.set([
        { number: 2, values: { [LEARNING_RATE]: 0.25 }, step: null },
        { number: 1, values: { [LEARNING_RATE]: 0.5, 'adam.beta1': 0.8 }, step: null },
      ]);
      // Said again until it is heard of.
      hyperparameters.set([{ number: 2, values: { [LEARNING_RATE]: 0.75 }, step: null }]);
    });
    const { end, rows, applied } = await trained(boundaries);

    expect(end).toMatchObject({ values: { [LEARNING_RATE]: 0.0625, 'adam.beta1': 0.8 } });
    expect(rows.get(3)).toMatchObject({ [LEARNING_RATE]: 0.25, 'adam.beta1': 0.8 });
    expect([...rows].filter(([, row]) => LEARNING_RATE in row).map(([time]) => time)).toEqual([3]);
    expect(applied).toEqual([
      { number: 1, step: 3 },
      { number: 2, step: 3 },
    ]);
    expect(heard).toEqual(applied);
    expect((await trained(new Boundaries())).end).not.toEqual(end);
  });

  test('is set at the same steps again by training that goes on from any checkpoint, to the same end', async () => {
    const asked: readonly [Boundary, number, Record<string, number>][] = [
      ['2', 2, { [LEARNING_RATE]: 0.5 }],
      ['6, at the end of an epoch', 6, { [LEARNING_RATE]: 0.01, 'adam.beta1': 0.5 }],
      ['9', 9, { [LEARNING_RATE]: 0.2 }],
    ];
    const boundaries = new Boundaries(({ hyperparameters }, boundary) => {
      for (const [index, [at, , values]] of asked.entries())
        if (at === boundary) hyperparameters.set([{ number: index + 1, values, step: null }]);
    });
    const whole = await trained(boundaries);
    expect(whole.applied.map(({ step }) => step)).toEqual([2, 6, 9]);

    const settings = asked.map(([, step, values], index): HyperparameterSetting => ({
      number: index + 1,
      values,
      step,
    }));
    expect(boundaries.saved.size).toBe(14);
    for (const [at, saved] of boundaries.saved) {
      const again = await trained(new Boundaries(), (mainLoop) => {
        mainLoop.hyperparameters.set(settings);
        mainLoop.restore(saved);
        mainLoop.hyperparameters.set(settings);
      });
      expect(again.end, `from ${at}`).toEqual(whole.end);
      expect(again.applied).toEqual(whole.applied);
      for (const [time, row] of again.rows) expect(withoutResumption(row)).toEqual(whole.rows.get(time));
    }
  });

  test('is not set again before one that is to be set later', async () => {
    const { applied, end } = await trained(new Boundaries(), ({ hyperparameters }) =>
      hyperparameters.set([
        { number: 1, values: { [LEARNING_RATE]: 0.5 }, step: 7 },
        { number: 2, values: { [LEARNING_RATE]: 0.25 }, step: null },
      ]),
    );
    expect(applied.map(({ step }) => step)).toEqual([7, 7]);
    expect(end).toMatchObject({ values: { [LEARNING_RATE]: 0.125 } });
  });

  test('stays as it was set in a run that goes on from there, whose settings have numbers of their own', async () => {
    const boundaries = new Boundaries();
    await trained(boundaries, ({ hyperparameters }) =>
      hyperparameters.set([{ number: 1, values: { [LEARNING_RATE]: 0.5, 'adam.beta1': 0.8 }, step: 2 }]),
    );
    const saved = boundaries.saved.get('6, at the end of an epoch');
    if (saved === undefined) throw new Error('nothing was saved');
    const { end, applied } = await trained(new Boundaries(), (mainLoop) => {
      mainLoop.restore(saved, { fork: { otherDatasets: false } });
      mainLoop.hyperparameters.set([{ number: 1, values: { 'adam.beta1': 0.7 }, step: null }]);
    });
    expect(end).toMatchObject({ values: { [LEARNING_RATE]: 0.125, 'adam.beta1': 0.7 } });
    expect(applied).toEqual([{ number: 1, step: 6 }]);
  });

  test('that is none, or cannot be so, is refused, and nothing is set', async () => {
    const { hyperparameters } = tinyExperiment();
    const set = (values: Record<string, number>) => (): void =>
      hyperparameters.set([
        { number: 1, values: { [LEARNING_RATE]: 0.5 }, step: null },
        { number: 2, values, step: null },
      ]);
    expect(set({ learningRate: 1 })).toThrow(
      'MainLoop: learningRate is no hyperparameter; give one of adam.decay_factor, adam.beta1, adam.beta2, adam.learning_rate, adam.epsilon',
    );
    expect(set({ 'adam.time': 1 })).toThrow('MainLoop: adam.time is no hyperparameter');
    expect(set({ [LEARNING_RATE]: NaN })).toThrow('MainLoop: adam.learning_rate cannot be NaN; give a finite number');
    hyperparameters.applyDue(0, {});
    expect(hyperparameters.applied).toEqual([]);
  });
});

function withoutResumption({ resumed_from: _resumed, ...row }: LogRow): LogRow {
  return row;
}
