import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { converters } from '@longrun/fuel';
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
    const rawFolder = named === '' ? join(configuration.stateFolder, 'raw') : resolve(named);
    await makeRawFolder(rawFolder, configuration.stateFolder);
    const checkout = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
    const options = {
      rawFolder,
      converters,
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

/** Makes the folder of raw files, which converters of another user read: one that Longrun made is open to them, one of a person stays as it is. */
async function makeRawFolder(folder: string, stateFolder: string): Promise<void> {
  const isNew = (await mkdir(folder, { recursive: true })) !== undefined;
  if (process.geteuid?.() !== 0 || !(isNew || dirname(folder) === stateFolder)) return;
  const { mode } = await stat(folder);
  // Nobody else gets past the state folder.
  if ((mode & 0o055) !== 0o055) await chmod(folder, (mode & 0o777) | 0o055);
}
