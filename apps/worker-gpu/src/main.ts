import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readVariables, variables } from '@longrun/platform/configuration';
import { readWorkerConfiguration, runWorkerProcess } from '@longrun/platform/worker';
import { ExperimentWork } from './supervisor/experiment-work.js';

try {
  const configuration = readWorkerConfiguration(process.env);
  const { LONGRUN_PROGRAMS } = readVariables({ LONGRUN_PROGRAMS: variables.LONGRUN_PROGRAMS }, process.env);
  const ofCheckout = fileURLToPath(new URL('../../../examples/dist/programs', import.meta.url));
  const options = {
    programsFolder: resolve(LONGRUN_PROGRAMS ?? ofCheckout),
    trainerScript: fileURLToPath(new URL('trainer.js', import.meta.url)),
    cacheFolder: join(configuration.stateFolder, 'cache', 'datasets'),
    graceMs: configuration.graceMs,
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
