import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { availableProviders } from '@longrun/tensor';
import { hideEnvironment, keepFilesPrivate, readVariables } from '@longrun/platform/configuration';
import { FileCache, logLine, readWorkerConfiguration, runWorkerProcess } from '@longrun/platform/worker';
import { z } from 'zod';
import { readCacheBudgets } from './cache-budgets.js';
import { ExperimentWork } from './supervisor/experiment-work.js';
import { Secrets } from './supervisor/secrets.js';
import { Trainers } from './supervisor/trainers.js';

/** Modules of programs are small: no disk has too little room for so many bytes of them. */
const PROGRAM_CACHE_BYTES = 2 ** 30;

const ownVariables = {
  /** Folder of secrets of programs. Default: `secrets` of the state. */
  LONGRUN_SECRETS: z.string().optional(),
  /** Whether a trainer is ready before there is work for it. */
  LONGRUN_SPARE_TRAINER: z
    .enum(['on', 'off'], { error: ({ input }) => `${JSON.stringify(input)} is neither on nor off; give one of them` })
    .default('on'),
} as const;

/** Runs the worker as this process, to its end. */
export async function run(): Promise<void> {
  // Before anything is started.
  hideEnvironment();
  keepFilesPrivate();
  try {
    const configuration = readWorkerConfiguration(process.env);
    const budgets = readCacheBudgets(process.env);
    const { LONGRUN_SECRETS, LONGRUN_SPARE_TRAINER } = readVariables(ownVariables, process.env);
    const secrets = new Secrets(resolve(LONGRUN_SECRETS ?? join(configuration.stateFolder, 'secrets')));
    const checkout = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
    const cache = join(configuration.stateFolder, 'cache');
    const datasetFolder = join(cache, 'datasets');
    await runWorkerProcess({
      name: 'worker-gpu',
      kind: 'experiment',
      configuration,
      engines: availableProviders(),
      devices: [{ type: 'cpu', name: cpus()[0]?.model ?? 'unknown', memoryBytes: null }],
      check: {
        script: fileURLToPath(new URL('bundle/engine-check.js', import.meta.url)),
        folders: [datasetFolder],
      },
      code: [checkout],
      work: ({ scratchFolder, isolation }) => {
        const trainers = new Trainers({
          script: fileURLToPath(new URL('trainer.js', import.meta.url)),
          isolation,
          folder: scratchFolder,
          cacheFolder: datasetFolder,
          compiledFolder: join(cache, 'compiled'),
          memoryLimitBytes: configuration.trainerMemoryBytes,
          keepsSpare: LONGRUN_SPARE_TRAINER === 'on',
          report: (sentence) => void process.stderr.write(logLine(`worker-gpu: ${sentence}`)),
        });
        void trainers.keepSpare();
        const { datasetBytes, checkpointBytes } = budgets(scratchFolder);
        const datasetFiles = new FileCache(datasetFolder, { mostBytes: datasetBytes });
        const programFiles = new FileCache(join(cache, 'programs'), { mostBytes: PROGRAM_CACHE_BYTES });
        const checkpointFiles = new FileCache(join(cache, 'checkpoints'), { mostBytes: checkpointBytes });
        return {
          of: (attempt) =>
            new ExperimentWork(attempt, {
              datasetFiles,
              checkpointFiles,
              programFiles,
              libraries: join(checkout, 'node_modules', '@longrun'),
              secrets,
              trainers,
              graceMs: configuration.graceMs,
            }),
          close: async () => await trainers.close(),
        };
      },
    });
    process.exit(0);
  } catch (error) {
    process.stderr.write(logLine(`worker-gpu: ${error instanceof Error ? error.message : String(error)}`));
    process.exit(1);
  }
}
