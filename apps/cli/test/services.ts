import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Client } from '@longrun/client';
import { type ExperimentSpecInput, isTerminal } from '@longrun/contracts';
import { ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';

import { connect } from '../src/address.js';
import { readProgram } from '../src/program-file.js';
import { writeTinyMnist } from './tiny-mnist.js';

/** However busy the machine is. */
export const LONG_ENOUGH_MS = 300_000;

/** Steps of an experiment that {@link Services.submit} submits: 4 epochs of 10 batches. */
export const LAST_STEP = 40;

const MLP = '../../../examples/src/programs/mlp.ts';
const PROGRAMS = [MLP, '../../worker-gpu/test/programs/turns.js'];

/** Publishes a program of this checkout, by its path from here. */
export async function publish(client: Client, path = MLP): Promise<void> {
  const program = await readProgram(fileURLToPath(new URL(path, import.meta.url)));
  await client.programs.publish(program.name, program);
}

type Environment = Readonly<Record<string, string>>;

/**
 * A Redis, and the apps' own processes on one state folder, started and killed by hand; with a ready dataset `tiny`
 * and the programs `mlp` and `turns`, whose runs turn out as they are told.
 */
export class Services {
  readonly folder: string;
  readonly redis: RedisServer;
  readonly #environment: Environment;
  readonly #processes: ProcessUnderTest[] = [];

  private constructor(folder: string, redis: RedisServer, environment: Environment) {
    this.folder = folder;
    this.redis = redis;
    this.#environment = environment;
  }

  /** @param environment of all processes */
  static async begin(environment: Environment): Promise<Services> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-services-'));
    const services = new Services(folder, await RedisServer.start(), environment);
    await writeTinyMnist(join(folder, 'raw', 'tiny'), { train: 160, test: 16, side: 8 });
    await services.startApi();
    const converter = services.start('fuel-preproc');
    const client = await services.connect();
    for (const path of PROGRAMS) await publish(client, path);
    await client.datasets.submit({ name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
    await until(
      async () => (await client.datasets.get('tiny')).status === 'ready',
      () => converter.output,
      LONG_ENOUGH_MS,
    );
    await services.endProcesses();
    return services;
  }

  /** Starts an app. It may never be ready. */
  start(app: 'api' | 'fuel-preproc' | 'worker-gpu', environment: Environment = {}): ProcessUnderTest {
    const started = new ProcessUnderTest(fileURLToPath(new URL(`../../${app}/dist/bundle/main.js`, import.meta.url)), {
      LONGRUN_STATE: this.folder,
      REDIS_URL: this.redis.url,
      LONGRUN_REDIS_WAIT_MS: '300000',
      // Most workers of tests train once.
      LONGRUN_SPARE_TRAINER: 'off',
      ...this.#environment,
      ...environment,
    });
    this.#processes.push(started);
    return started;
  }

  /** Starts the API, and waits until it listens. */
  async startApi(environment: Environment = {}): Promise<ProcessUnderTest> {
    const api = this.start('api', environment);
    await until(
      () => api.lines.some((line) => line.startsWith('api listening at ')),
      () => api.output,
      LONG_ENOUGH_MS,
    );
    return api;
  }

  /** A client of the API that was started last. */
  async connect(): Promise<Client> {
    return await connect({ state: this.folder, environment: {} });
  }

  /** Experiments that lie in BullMQ's queue and were not taken. */
  async waitingJobs(): Promise<number> {
    return (await this.redis.members('{longrun}:experiments:prioritized')).length;
  }

  /** What the processes printed. */
  get output(): string {
    return this.#processes.map(({ pid, output }) => `-- ${pid}\n${output}`).join('\n');
  }

  /** Kills what still runs. */
  async endProcesses(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((each) => each.end()));
  }

  /** Ends everything, and takes it away. */
  async end(): Promise<void> {
    await this.endProcesses();
    await this.redis.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A small experiment on the dataset `tiny`. */
export function tinyExperiment(spec: Partial<ExperimentSpecInput> = {}): ExperimentSpecInput {
  return {
    program: 'mlp',
    dataset: 'tiny',
    params: {
      dims: [64, 16, 10],
      activations: ['rectifier', 'softmax'],
      batchSize: 16,
      epochs: 4,
      learningRate: 0.01,
    },
    checkpoint: { everyBatches: 15 },
    resources: { threads: 1 },
    ...spec,
  };
}

/** Waits for the end of an experiment. */
export async function untilEnded(client: Client, id: string, otherwise: () => string): Promise<void> {
  await until(async () => isTerminal((await client.experiments.get(id)).status), otherwise, LONG_ENOUGH_MS);
}

/** The steps of all rows of its log. */
export async function stepsOf(client: Client, id: string): Promise<number[]> {
  const steps = [];
  for await (const { step } of client.experiments.logRows(id)) steps.push(step);
  return steps;
}

/** 0, 1, …, `last` */
export function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, step) => step);
}
