import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hideEnvironment, keepFilesPrivate } from '@longrun/platform/configuration';
import { logLine, readWorkerConfiguration, runWorkerProcess } from '@longrun/platform/worker';
import { DatasetWork } from './dataset-work.js';

/** Runs the worker as this process, to its end. */
export async function run(): Promise<void> {
  // Before anything is started.
  hideEnvironment();
  keepFilesPrivate();
  try {
    const configuration = readWorkerConfiguration(process.env);
    const named = process.env['LONGRUN_RAW']?.trim() ?? '';
    const rawFolder = resolve(named === '' ? `${configuration.stateFolder}/raw` : named);
    await mkdir(rawFolder, { recursive: true });
    const checkout = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
    const options = {
      rawFolder,
      converterScript: fileURLToPath(new URL('converter.js', import.meta.url)),
      memoryLimitBytes: configuration.trainerMemoryBytes,
      report: (line: string): void => void process.stderr.write(logLine(`fuel-preproc: ${line}`)),
    };
    await runWorkerProcess({
      name: 'fuel-preproc',
      kind: 'dataset',
      configuration,
      check: { script: fileURLToPath(new URL('bundle/hdf5-check.js', import.meta.url)), folders: [] },
      code: [checkout, rawFolder],
      work: ({ isolation }) => ({ of: (attempt) => new DatasetWork(attempt, { ...options, isolation }) }),
    });
    process.exit(0);
  } catch (error) {
    process.stderr.write(logLine(`fuel-preproc: ${error instanceof Error ? error.message : String(error)}`));
    process.exit(1);
  }
}
