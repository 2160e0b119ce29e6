import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import type { DatasetFile } from '@longrun/blocks';
import { hashFile } from '@longrun/serialization';

import { UnusableRun } from './run-failed.js';

/**
 * The datasets of `file` and `role=file`, by role; the role of one that is not said is `train`. A file whose name begins like a role is named with
 * a folder: `./a=b.hdf5`.
 *
 * @throws UnusableRun for two of one role, and for a file that is not there
 */
export function datasetFiles(words: readonly string[]): Readonly<Record<string, DatasetFile>> {
  const files = new Map<string, DatasetFile>();
  for (const word of words) {
    const [, role = 'train', file = word] = /^([a-z0-9][a-z0-9_-]{0,31})=(.+)$/s.exec(word) ?? [];
    const path = resolve(file);
    const other = files.get(role);
    if (other !== undefined)
      throw new UnusableRun(
        `--dataset is given twice for the role ${role}, ${other.path} and ${path}; give one of them`,
      );
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
      throw new UnusableRun(
        `--dataset ${file}: there is no such file; give the path of an HDF5 file (longrun download NAME fetches that of a dataset)`,
      );
    }
    files.set(role, { path, name: basename(path) });
  }
  return Object.fromEntries(files);
}

/** The SHA-256 of each file, by role: what a run trains on is part of what it is. */
export async function hashesOf(
  files: Readonly<Record<string, DatasetFile>>,
): Promise<Readonly<Record<string, string>>> {
  const hashes: Record<string, string> = {};
  for (const [role, { path }] of Object.entries(files)) hashes[role] = (await hashFile(path)).sha256;
  return hashes;
}
