import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readWorkerConfiguration, runWorkerProcess } from '@longrun/platform/worker';
import { DatasetWork } from './dataset-work.js';

try {
  const configuration = readWorkerConfiguration(process.env);
  const rawFolder = process.env['LONGRUN_RAW']?.trim() ?? '';
  const options = {
    rawFolder: resolve(rawFolder === '' ? `${configuration.stateFolder}/raw` : rawFolder),
    converterScript: fileURLToPath(new URL('converter.js', import.meta.url)),
    report: (line: string): void => void process.stderr.write(`fuel-preproc: ${line}\n`),
  };
  await runWorkerProcess({
    name: 'fuel-preproc',
    kind: 'dataset',
    configuration,
    check: { script: fileURLToPath(new URL('hdf5-check.js', import.meta.url)), folders: [] },
    work: (attempt) => new DatasetWork(attempt, options),
  });
  process.exit(0);
} catch (error) {
  process.stderr.write(`fuel-preproc: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
