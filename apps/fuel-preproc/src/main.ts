import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepFilesPrivate } from '@longrun/platform/configuration';
import { logLine, readWorkerConfiguration, runWorkerProcess } from '@longrun/platform/worker';
import { DatasetWork } from './dataset-work.js';

keepFilesPrivate();
try {
  const configuration = readWorkerConfiguration(process.env);
  const rawFolder = process.env['LONGRUN_RAW']?.trim() ?? '';
  const options = {
    rawFolder: resolve(rawFolder === '' ? `${configuration.stateFolder}/raw` : rawFolder),
    converterScript: fileURLToPath(new URL('converter.js', import.meta.url)),
    report: (line: string): void => void process.stderr.write(logLine(`fuel-preproc: ${line}`)),
  };
  await runWorkerProcess({
    name: 'fuel-preproc',
    kind: 'dataset',
    configuration,
    work: (attempt) => new DatasetWork(attempt, options),
  });
  process.exit(0);
} catch (error) {
  process.stderr.write(`fuel-preproc: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
