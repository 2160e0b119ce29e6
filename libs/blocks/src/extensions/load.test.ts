import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { RandomStreams, RestoreRefused, writeSafetensors } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import { defineExperiment } from '../experiment/experiment-program.js';
import { restoreParameters } from '../graph/restore-parameters.js';
import type { MainLoop } from '../main-loop/main-loop.js';
import { Outputs } from '../outputs/outputs.js';
import { restoreSnapshot, SNAPSHOT_FILES, writeSnapshot } from '../snapshot/snapshot.js';
import { Load } from './load.js';

let folder = '';
let pretrained = '';
let trained: MainLoop;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-load-'));
  trained = tinyExperiment({ seed: 9 });
  await trained.run();
  await writeSnapshot(trained, path.join(folder, 'pretrained'));
  pretrained = path.join(folder, 'pretrained', SNAPSHOT_FILES.parameters);
});
afterEach(() => rm(folder, { recursive: true }));

/** A main loop that is stopped before its first step. */
async function begun(load: Load): Promise<MainLoop> {
  const mainLoop = tinyExperiment({ extensions: [load] });
  mainLoop.requestStop();
  expect(await mainLoop.run()).toBe('stopped');
  return mainLoop;
}

test('training starts from the parameters of the file, and the log says so', async () => {
  const mainLoop = await begun(new Load({ path: pretrained }));

  expect(mainLoop.status.iterationsDone).toBe(0);
  expect((await mainLoop.arrays()).parameters).toEqual((await trained.arrays()).parameters);
  expect(mainLoop.log.row(0)).toMatchObject({
    loaded_from: pretrained,
    loaded_parameters: 4,
    kept_parameters: 0,
    ignored_parameters: 0,
  });
});

test('what is not restored is told', async () => {
  const told: unknown[] = [];
  const mainLoop = await begun(
    new Load({ path: pretrained, select: '/mlp/linear_0.*', onRestored: (restored) => told.push(restored) }),
  );

  const ofLast = ['/mlp/linear_1.W', '/mlp/linear_1.b'].map((name) => ({ name, reason: 'not selected' }));
  expect(told).toMatchObject([{ kept: ofLast, ignored: ofLast }]);
  expect(mainLoop.log.row(0)).toMatchObject({ loaded_parameters: 2, kept_parameters: 2, ignored_parameters: 2 });
});

test('training that goes on from a checkpoint does not load again, and needs the file no more', async () => {
  const whole = tinyExperiment({ extensions: [new Load({ path: pretrained })] });
  await whole.run();
  const started = await begun(new Load({ path: pretrained }));
  await writeSnapshot(started, path.join(folder, 'checkpoint'));
  await rm(pretrained);

  const resumed = tinyExperiment({ extensions: [new Load({ path: pretrained })] });
  await restoreSnapshot(resumed, path.join(folder, 'checkpoint'));
  await resumed.run();

  expect(await resumed.arrays()).toEqual(await whole.arrays());
});

test('the place in the data is loaded also where it is the end of an epoch: the next one begins', async () => {
  const mainLoop = tinyExperiment({ seed: 9, extensions: [new Load({ path: pretrained, loadIterationState: true })] });
  await mainLoop.run();

  expect(mainLoop.status.epochEnds).toEqual([6, 12, 18]);
});

test('a file that does not fit, or is not there, fails training, and no parameter has changed', async () => {
  for (const [load, reason] of [
    [new Load({ path: pretrained }), RestoreRefused],
    [new Load({ path: path.join(folder, 'missing.npz') }), /ENOENT/],
  ] as const) {
    const mainLoop = tinyExperiment({ hidden: 6, extensions: [load] });
    const before = (await mainLoop.arrays()).parameters;

    await expect(mainLoop.run()).rejects.toThrow(reason);
    expect(mainLoop.status.iterationsDone).toBe(0);
    for (const [name, value] of (await mainLoop.arrays()).parameters) expect(value).toEqual(before.get(name));
  }
});

test('the example of the README', async () => {
  const values = await trained.model.getParameterValues();
  const classifier = new Map([...values].map(([name, value]) => [name.replace('/mlp/', '/classifier/'), value]));
  await writeSafetensors(path.join(folder, 'classifier.safetensors'), classifier);
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const finetune = defineExperiment({
    name: 'finetune',
    params: z.object({ pretrained: z.string() }),
    build: ({ params, seed }) => {
      const load = new Load({
        path: params.pretrained,
        rename: (name) => name.replace('/classifier/', '/mlp/'),
        onShapeMismatch: 'keep',
        onRestored: ({ kept }) =>
          console.log(
            'starts anew:',
            kept.map(({ name }) => name),
          ),
      });
      return tinyExperiment({ seed, hidden: 6, extensions: [load] });
    },
  });

  const mainLoop = await finetune.build({
    params: { pretrained: path.join(folder, 'classifier.safetensors') },
    seed: 1,
    random: new RandomStreams(1),
    datasets: {},
    target: computeTarget({ engine: 'reference', threads: 1 }),
    extensions: () => [],
    outputs: await Outputs.open(path.join(folder, 'outputs')),
  });
  mainLoop.requestStop();
  await mainLoop.run();
  const [said] = log.mock.calls;
  log.mockRestore();

  expect(said).toEqual(['starts anew:', ['/mlp/linear_0.W', '/mlp/linear_0.b', '/mlp/linear_1.W']]);
  expect((await mainLoop.arrays()).parameters.get('/mlp/linear_1.b')).toEqual(values.get('/mlp/linear_1.b'));

  const [student, teacher] = [tinyExperiment().model, trained.model];
  await restoreParameters(student, await teacher.getParameterValues(), { select: '/mlp/*_1.b' });
  expect((await student.getParameterValues()).get('/mlp/linear_1.b')).toEqual(values.get('/mlp/linear_1.b'));
  expect((await student.getParameterValues()).get('/mlp/linear_1.W')).not.toEqual(values.get('/mlp/linear_1.W'));
});
