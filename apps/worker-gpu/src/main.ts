import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readWorkerConfiguration, runWorkerProcess } from '@longrun/platform/worker';
import { ExperimentWork } from './supervisor/experiment-work.js';

try {
  const configuration = readWorkerConfiguration(process.env);
  const programsFolder = process.env['LONGRUN_PROGRAMS'];
  const options = {
    programsFolder: resolve(
      programsFolder === undefined || programsFolder === ''
        ? fileURLToPath(new URL('../../../examples/dist/programs', import.meta.url))
        : programsFolder,
    ),
    trainerScript: fileURLToPath(new URL('trainer.js', import.meta.url)),
    cacheFolder: join(configuration.stateFolder, 'cache', 'datasets'),
  };
  await runWorkerProcess({
    name: 'worker-gpu',
    kind: 'experiment',
    configuration,
    devices: [{ type: 'cpu', name: cpus()[0]?.model ?? 'unknown', memoryBytes: null }],
    work: (attempt) => new ExperimentWork(attempt, options),
  });
  process.exit(0);
} catch (error) {
  process.stderr.write(`worker-gpu: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
