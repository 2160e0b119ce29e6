import type { ManifestFile } from './manifest.js';

/** Files of checkpoints that are on this machine, asked before the store is. */
export interface LocalFiles {
  /**
   * Puts the file, with exactly these bytes, at a path where nothing is. False, and nothing is there, where it cannot. Never fails.
   *
   * What was placed need not be writable, and may be one file with what is kept.
   */
  place(file: ManifestFile, target: string): Promise<boolean>;
}
