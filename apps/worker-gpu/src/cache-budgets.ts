import { statfsSync } from 'node:fs';
import { type Environment, readVariables, sizeInBytes } from '@longrun/platform/configuration';

/** How many bytes a worker's machine keeps at most; Infinity for as many as the disk takes. */
export interface CacheBudgets {
  readonly datasetBytes: number;
  readonly checkpointBytes: number;
}

/**
 * Reads LONGRUN_DATASET_CACHE and LONGRUN_CHECKPOINT_CACHE, as `200GiB` or `unlimited`. Default: a quarter and a tenth of the disk on which
 * the folder is that is given then.
 *
 * @throws ConfigurationError
 */
export function readCacheBudgets(environment: Environment): (folder: string) => CacheBudgets {
  const read = readVariables(cacheVariables, environment);
  return (folder) => {
    const { blocks, bsize } = statfsSync(folder);
    const bytesOf = (told: number | null | undefined, share: number): number =>
      told === undefined ? Math.floor(blocks * bsize * share) : (told ?? Infinity);
    return {
      datasetBytes: bytesOf(read.LONGRUN_DATASET_CACHE, 1 / 4),
      checkpointBytes: bytesOf(read.LONGRUN_CHECKPOINT_CACHE, 1 / 10),
    };
  };
}

const cacheVariables = {
  LONGRUN_DATASET_CACHE: sizeInBytes('a size', 0).optional(),
  LONGRUN_CHECKPOINT_CACHE: sizeInBytes('a size', 0).optional(),
} as const;
