import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hideEnvironment, readVariables, variables } from '@longrun/platform/configuration';
import { sayStage } from '@longrun/platform/stages';

// Before anything is started, and before anything that takes time to load.
hideEnvironment();
sayStage('loading code');
try {
  const { Isolation, readWorkerConfiguration, runWorkerProcess } = await import('@longrun/platform/worker');
  const { ExperimentWork } = await import('./supervisor/experiment-work.js');
  const configuration = readWorkerConfiguration(process.env);
  const { LONGRUN_PROGRAMS } = readVariables({ LONGRUN_PROGRAMS: variables.LONGRUN_PROGRAMS }, process.env);
  const ofCheckout = fileURLToPath(new URL('../../../examples/dist/programs', import.meta.url));
  const programsFolder = resolve(LONGRUN_PROGRAMS ?? ofCheckout);
  const checkout = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
  const isolation = await Isolation.find({
    user: configuration.trainerUser,
    stateFolder: configuration.stateFolder,
    code: [checkout, programsFolder],
  });
  process.stdout.write(`worker-gpu: ${isolation.sentence}\nworker-gpu: ${isolation.memorySentence}\n`);
  const options = {
    programsFolder,
    isolation,
    trainerScript: fileURLToPath(new URL('trainer.js', import.meta.url)),
    cacheFolder: join(configuration.stateFolder, 'cache', 'datasets'),
    memoryLimitBytes: configuration.trainerMemoryBytes,
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
