import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Client } from '@longrun/client';
import type { ExperimentSpecInput } from '@longrun/contracts';
import { type ProcessUnderTest, until } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { readSpecFile } from '../src/spec-file.js';
import { LONG_ENOUGH_MS, publish, Services, untilEnded } from './services.js';

interface Example {
  /** Name of its spec. */
  readonly example: string;
  /** What makes it small. */
  readonly params: ExperimentSpecInput['params'];
  /** What it reads here. Default: nothing, as there. */
  readonly dataset?: string;
}

const LAYERS = { dims: [64, 16, 10], activations: ['rectifier', 'softmax'], batchSize: 16 };
const TEXT = { dim: 4, heads: 2, length: 8, batchSize: 4 };
const LINES = { lines: 60, testLines: 12, words: 2, letters: 3, dim: 4, beamSize: 2, batchSize: 10 };

const EXAMPLES: readonly Example[] = [
  { example: 'fashion-mlp', params: LAYERS, dataset: 'tiny' },
  { example: 'fashion-batch-normalization', params: LAYERS, dataset: 'tiny' },
  { example: 'fashion-lenet', params: { filters: [3], filterSize: 3, hidden: 4, batchSize: 16 }, dataset: 'tiny' },
  { example: 'language-model-lstm', params: TEXT, dataset: 'words' },
  { example: 'language-model-transformer', params: TEXT, dataset: 'words' },
  { example: 'markov-chain', params: { sequences: 60, dim: 4, steps: 5 } },
  { example: 'parity', params: { sequences: 60, dim: 4, bits: 4, testBits: 7, batchSize: 10 } },
  { example: 'reverse-words', params: LINES },
];

const FOLDER = new URL('../../../examples/', import.meta.url);
/** Batches between two checkpoints, of which each run has more than two. */
const EVERY_BATCHES = 4;

let services: Services;
let client: Client;
let worker: ProcessUnderTest;
/** Ids of the undisturbed ones, by the name of their spec. */
const undisturbed = new Map<string, string>();

beforeAll(async () => {
  services = await Services.begin({});
  await services.startApi();
  client = await services.connect();
  await addText();
  const specs = await Promise.all(EXAMPLES.map(specOf));
  for (const program of new Set(specs.map((spec) => spec.program)))
    await publish(client, `../../../examples/src/programs/${program}.ts`);
  worker = services.start('worker-gpu');
  for (const [at, { example }] of EXAMPLES.entries()) {
    const spec = specs[at];
    if (spec !== undefined) undisturbed.set(example, (await client.experiments.submit(spec)).id);
  }
  for (const id of undisturbed.values()) await untilEnded(client, id, () => worker.output);
  await worker.end();
});

afterEach(async () => {
  await worker.end();
});

afterAll(async () => {
  await services.end();
});

test('each spec of the examples is tried', async () => {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.yaml'));
  const submissions = await Promise.all(files.map((file) => readSpecFile(fileURLToPath(new URL(file, FOLDER)))));
  const experiments = files.filter((_, at) => submissions[at]?.kind === 'experiment');
  expect(experiments.toSorted()).toEqual(EXAMPLES.map(({ example }) => `${example}.yaml`).toSorted());
});

test.each(EXAMPLES)(
  '$example: its trainer is killed after a checkpoint, and it ends as the same one that nobody disturbs',
  async (one) => {
    const { example } = one;
    const gate = join(services.folder, `${example}.gate`);
    worker = services.start('worker-gpu', { LONGRUN_FAULT_POINTS: `snapshot.committed=wait:${gate}` });
    const { id } = await client.experiments.submit({ ...(await specOf(one)), name: `${example}-killed` });
    // The trainer goes on to its next checkpoint, where it waits for the worker to be done with this one.
    await until(
      () => worker.output.includes('fault point: snapshot.committed'),
      () => worker.output,
      LONG_ENOUGH_MS,
    );
    const trainer = worker.childPid();
    expect(trainer).toBeDefined();
    process.kill(trainer ?? 0, 'SIGKILL');
    await writeFile(gate, '');
    await untilEnded(client, id, () => worker.output);

    const killed = await client.experiments.get(id);
    expect(killed).toMatchObject({
      status: 'succeeded',
      attempts: [{ reason: 'trainer_killed', startStep: 0 }, { reason: 'succeeded' }],
    });
    // From the checkpoint that its worker had, or from the one that its trainer had written beside it.
    expect([1, 2]).toContain((killed.attempts[1]?.startStep ?? 0) / EVERY_BATCHES);
    const other = undisturbed.get(example) ?? '';
    const { a, b, ...comparison } = await client.experiments.comparison(id, other);
    expect(comparison).toMatchObject({ verdict: 'identical', environment: [], differences: { outputs: [] } });
    expect(comparison.differences?.rows).toBeGreaterThan(3 * EVERY_BATCHES);
    expect([a, b].map(({ parametersSha256 }) => parametersSha256)).toEqual(
      Array(2).fill(expect.stringMatching(/^[0-9a-f]{64}$/)),
    );
    expect(await outputsOf(id)).toEqual(await outputsOf(other));
    expect((await outputsOf(id)).map(({ name }) => name)).toContain('epochs.csv');
    expect((await client.experiments.get(other)).attempts).toMatchObject([{ startStep: 0, reason: 'succeeded' }]);
  },
);

async function specOf({ example, params, dataset }: Example): Promise<ExperimentSpecInput> {
  const submission = await readSpecFile(fileURLToPath(new URL(`${example}.yaml`, FOLDER)));
  if (submission.kind !== 'experiment') throw new Error(`${example} is the spec of a dataset`);
  const { spec } = submission;
  return {
    ...spec,
    ...(dataset !== undefined && { dataset }),
    params: { ...spec.params, epochs: 3, ...params },
    checkpoint: { everyBatches: EVERY_BATCHES },
  };
}

/** The dataset `words`: what the examples that read a text are tried on. */
async function addText(): Promise<void> {
  const folder = join(services.folder, 'raw', 'words');
  await mkdir(folder);
  await writeFile(join(folder, 'text.txt'), 'A short text\nof seven words,\n'.repeat(7));
  const converter = services.start('fuel-preproc');
  await client.datasets.submit({ name: 'words', converter: 'text', source: { folder: 'words' } });
  await until(
    async () => (await client.datasets.get('words')).status === 'ready',
    () => converter.output,
    LONG_ENOUGH_MS,
  );
  await converter.end();
}

async function outputsOf(id: string): Promise<readonly { readonly name: string; readonly sha256: string }[]> {
  return (await client.checkpoints.outputs(id)).items.map(({ name, sha256 }) => ({ name, sha256 }));
}
