import { CHECKPOINT_FILES } from '@longrun/contracts';
import { exportFile, exportFiles } from '@longrun/serialization';

import { size } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';
import { type CheckpointPlace, reading } from './reading.js';

/** Where `longrun checkpoint export` writes: one of the two. */
export interface ExportOptions extends CheckpointPlace {
  readonly json: boolean;
  /** A folder for all files. */
  readonly to?: string | undefined;
  /** A file for the parameters. */
  readonly parameters?: string | undefined;
}

/** Copies the files of a checkpoint, or its parameters alone, each compared with what was committed. */
export async function exportCheckpoint(
  terminal: Terminal,
  checkpoint: string,
  { json, to, parameters, ...place }: ExportOptions,
): Promise<void> {
  const { name, step, files, target } = await reading(place, async (source) =>
    source.read(checkpoint, async (stored) => {
      const { step: found, files: all } = stored.manifest;
      if (parameters === undefined) {
        const folder = to ?? '';
        await exportFiles(source.objects, stored.manifest, folder);
        return { name: stored.name, step: found, files: all, target: folder };
      }
      await exportFile(source.objects, stored.manifest, CHECKPOINT_FILES.parameters, parameters);
      const written = all.filter((file) => file.name === CHECKPOINT_FILES.parameters);
      return { name: stored.name, step: found, files: written, target: parameters };
    }),
  );
  const written = files.map(({ name: file, sha256, sizeBytes }) => ({ name: file, sha256, sizeBytes }));
  if (json) return terminal.printJson({ name, step, target, files: written }, 2);
  const sizeBytes = written.reduce((sum, file) => sum + file.sizeBytes, 0);
  const what = written.map((file) => file.name).join(', ');
  terminal.print(`${name}: ${what} (${size(sizeBytes)}, verified) in ${target}`);
}
