import { fileURLToPath } from 'node:url';

import { StateMismatch, type VersionedState } from '@longrun/serialization';
import { matrix, mean, square } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  Adam,
  CompositeRule,
  restoreSnapshot,
  StepRule,
  Timing,
  TrainingDataMonitoring,
  TrainingExtension,
  TrainingLog,
  type MainLoop,
  type Steps,
  type StepsAndUpdates,
} from '../src/index.js';
import { tinyExperiment, type TinyOptions } from './tiny-experiment.js';

/** A rule without variables, of which the arrays of a checkpoint show nothing. */
class Halving extends StepRule {
  override computeSteps(previous: Steps): StepsAndUpdates {
    return { steps: new Map(previous), updates: [] };
  }
}

class Doubling extends Halving {}

const adam = (): StepRule => new Adam({ learningRate: 0.05 });

async function refuses(mainLoop: MainLoop, saved: MainLoop, words: RegExp | string): Promise<void> {
  const contents = { state: saved.state(), ...(await saved.arrays()) };
  const restore = (): void => mainLoop.restore(contents);
  expect(restore).toThrow(StateMismatch);
  expect(restore).toThrow(words);
}

describe('a state is refused, naming both, by a main loop', () => {
  const withRules = (...rules: StepRule[]): MainLoop =>
    tinyExperiment({ stepRule: new CompositeRule([adam(), ...rules]) });

  test('with another step rule, though that has the same variables', async () => {
    await refuses(
      withRules(new Doubling()),
      withRules(new Halving()),
      /with the algorithm .*"halving".*has .*"doubling"/,
    );
    await refuses(withRules(), withRules(new Halving()), /with the algorithm .*"halving".*but this one has/);
    const same = withRules(new Halving());
    const saved = withRules(new Halving());
    same.restore({ state: saved.state(), ...(await saved.arrays()) });
  });

  test.each<readonly [keyof TinyOptions, TinyOptions, RegExp]>([
    ['batchSize', { batchSize: 5 }, /"batchSize":4.*"batchSize":5/],
    ['examples', { examples: 21 }, /"examples":22.*"examples":21/],
    ['seed', { seed: 2 }, /state was saved with the|seed/],
  ])('with another %s', async (_name, options, words) => {
    await refuses(tinyExperiment(options), tinyExperiment(), words);
  });

  test('with an extension of another class under the same name', async () => {
    class Other extends TrainingExtension {
      override state(): VersionedState {
        return { version: 1, kind: 'Other' };
      }
    }
    await refuses(
      tinyExperiment({ extensions: [new Timing({ name: 'X' })] }),
      tinyExperiment({ extensions: [new Other({ name: 'X' })] }),
      'X: the saved state is that of "Other", not of "Timing"',
    );
  });

  test('that monitors fewer variables', async () => {
    const norm = mean(square(matrix('features')));
    norm.name = 'norm';
    const monitoring = (count: number): MainLoop =>
      tinyExperiment({
        extensions: [new TrainingDataMonitoring({ name: 'M', variables: [norm].slice(0, count), afterEpoch: true })],
      });
    await refuses(
      monitoring(0),
      monitoring(1),
      /M: the state was saved with the variables \["norm"\], but this one has \[\]/,
    );
    await refuses(
      monitoring(1),
      monitoring(0),
      /M: the state was saved with the variables \[\], but this one has \["norm"\]/,
    );
  });
});

test('a log refuses the state of something else, naming both', () => {
  expect(() => new TrainingLog().restore(tinyExperiment().state())).toThrow(
    'TrainingLog: the saved state is that of "MainLoop"; build it',
  );
  expect(() => tinyExperiment().dataStream.restore(new TrainingLog().state())).toThrow(
    'DatasetStream: the saved state is that of "TrainingLog"; build it',
  );
});

test('a snapshot of the build before states named what they belong to is gone on from, to the end of an undisturbed run', async () => {
  const options = (): TinyOptions => ({ extensions: [new Timing()] });
  const whole = tinyExperiment(options());
  await whole.run();
  const successor = tinyExperiment(options());
  const folder = fileURLToPath(new URL('fixtures/snapshot-version-2/plain', import.meta.url));

  expect(await restoreSnapshot(successor, folder)).toMatchObject({ step: 8 });
  await successor.run();

  expect(successor.status.iterationsDone).toBe(18);
  const { parameters } = await whole.arrays();
  for (const [name, array] of (await successor.arrays()).parameters) {
    const expected = parameters.get(name);
    expect(array.shape).toEqual(expected?.shape);
    // Written on another machine, it may differ from what this one computes in the last bits.
    for (const [at, value] of array.data.entries()) {
      const wanted = Number(expected?.data[at]);
      expect(Math.abs(Number(value) - wanted)).toBeLessThanOrEqual(1e-4 * Math.abs(wanted) + 1e-7);
    }
  }
});
