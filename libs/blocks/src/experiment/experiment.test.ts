import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import { FinishAfter } from '../extensions/finish-after.js';
import { Outputs } from '../outputs/outputs.js';
import {
  defineExperiment,
  InvalidParams,
  MissingDataset,
  type BuildContext,
  type DatasetFile,
  type ExperimentProgram,
  type HostContext,
} from './experiment-program.js';
import { loadProgram } from './load-program.js';

const program = defineExperiment({
  name: 'tiny',
  params: z
    .strictObject({ hidden: z.int().min(1).default(4), sizes: z.array(z.int().min(1)).default([]) })
    .refine(({ hidden }) => hidden !== 13, { path: ['hidden'], message: '13 brings bad luck; take 12' }),
  build: ({ params, seed, target, extensions, output }) => {
    output('params.json').write(JSON.stringify(params));
    return tinyExperiment({ hidden: params.hidden, seed, engine: target.engine, extensions: extensions() });
  },
});

let outputs: Outputs;
beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'longrun-outputs-'));
  outputs = await Outputs.open(folder);
  return () => rm(folder, { recursive: true });
});

function context(params: unknown): HostContext {
  return {
    params,
    seed: 3,
    random: new RandomStreams(3),
    datasets: { train: { path: '/nowhere.hdf5' } },
    target: computeTarget({ engine: 'reference', threads: 1 }),
    extensions: () => [new FinishAfter({ name: 'host', afterNBatches: 2 })],
    outputs,
  };
}

describe('a program', () => {
  test('fills in defaults', () => {
    expect(program.parseParams({})).toEqual({ hidden: 4, sizes: [] });
  });

  test('refuses params, naming each field', () => {
    expect(refusal({ hidden: 13 })).toEqual(
      new InvalidParams('tiny', [{ path: ['hidden'], message: '13 brings bad luck; take 12' }]),
    );
    expect(refusal({ hidden: 0, sizes: [1, -1] })).toMatchObject({
      name: 'InvalidParams',
      program: 'tiny',
      issues: [{ path: ['hidden'] }, { path: ['sizes', 1] }],
    });
    expect(String(refusal({ sizes: [0] }))).toContain('Program tiny cannot take these params: params.sizes[0]: ');
    expect(refusal({ hiden: 3 })).toBeInstanceOf(InvalidParams);
    expect(refusal(null)).toBeInstanceOf(InvalidParams);
  });

  test('builds a main loop from parsed params, with the extensions of the host', async () => {
    const mainLoop = await program.build(context({}));

    expect(mainLoop.model.getParameterDict().get('/mlp/linear_0.W')?.shape).toEqual([3, 4]);
    expect(mainLoop.extensions.at(-1)?.name).toBe('host');
    await mainLoop.run();
    expect(mainLoop.status.iterationsDone).toBe(2);
    await expect(program.build(context({ hidden: 13 }))).rejects.toThrow(InvalidParams);
  });

  test('writes to files of the host, which the main loop keeps', async () => {
    const mainLoop = await program.build(context({ hidden: 2 }));

    expect(mainLoop.outputs).toBe(outputs);
    expect(outputs.output('params.json').readText()).toBe('{"hidden":2,"sizes":[]}');
    const others = await Outputs.open(path.join(outputs.folder, 'elsewhere'));
    expect(() => mainLoop.keepOutputs(others)).toThrow(
      `MainLoop: the program gave it outputs in ${outputs.folder}, but the host keeps those in ${others.folder}; leave the ` +
        'option outputs out, and write to context.output(name)',
    );
  });

  test.each<[string, Readonly<Record<string, DatasetFile>>, string]>([
    ['the one for training', { valid: { path: '/v.hdf5' }, train: { path: '/t.hdf5' } }, '/t.hdf5'],
    ['the only one', { valid: { path: '/v.hdf5' } }, '/v.hdf5'],
  ])('has datasets by role, and as its dataset %s', async (_, datasets, file) => {
    const seen: unknown[] = [];
    await reading(({ dataset, datasets: all }) => seen.push(dataset, all)).build({ ...context({}), datasets });

    expect(seen).toEqual([{ path: file }, datasets]);
  });

  test('that reads the dataset for training where there are only others is refused, and one that does not is not', async () => {
    const datasets = { valid: { path: '/v.hdf5' }, test: { path: '/t.hdf5' } };
    const build = (one: ExperimentProgram) => one.build({ ...context({}), datasets });

    await expect(build(reading(({ dataset }) => dataset))).rejects.toThrow(MissingDataset);
    await expect(build(reading(({ dataset }) => dataset))).rejects.toThrow(
      'There is no dataset of the role train; the experiment has datasets of the roles valid, test; give one of that role',
    );
    await expect(build(reading(({ datasets: all }) => all))).resolves.toBeDefined();
  });

  test('has a name that can be typed', () => {
    expect(() => defineExperiment({ name: 'My Program', params: z.object({}), build: () => tinyExperiment() })).toThrow(
      'Program name "My Program" is not in lower case letters, digits and dashes; rename it',
    );
  });
});

describe('the module of a program', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'longrun-programs-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const made = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };

  test('has the program as its default export', async () => {
    const file = await made(
      'one.mjs',
      `export default { name: 'one', description: '', parseParams: (params) => params, build: () => undefined };`,
    );

    expect((await loadProgram(file)).parseParams({ epochs: 2 })).toEqual({ epochs: 2 });
  });

  test('is refused without one, and fails as it fails', async () => {
    await expect(loadProgram(await made('other.mjs', 'export const x = 1;'))).rejects.toThrow(
      'The module is not a program: make defineExperiment({ ... }) its default export',
    );
    await expect(loadProgram(await made('broken.mjs', 'throw new Error("imported")'))).rejects.toThrow('imported');
  });
});

/** A program that reads something of its context. */
function reading(read: (seen: BuildContext<unknown>) => unknown): ExperimentProgram {
  return defineExperiment({
    name: 'reading',
    params: z.unknown(),
    build: (seen) => {
      read(seen);
      return tinyExperiment({ engine: seen.target.engine });
    },
  });
}

function refusal(params: unknown): unknown {
  try {
    return program.parseParams(params);
  } catch (error) {
    return error;
  }
}
