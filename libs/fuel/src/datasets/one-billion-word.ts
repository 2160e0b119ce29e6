import { join } from 'node:path';
import type { FuelConfiguration } from '../configuration/config.js';
import { findInDataPath } from '../configuration/find-in-data-path.js';
import { TextFile, type TextFileOptions } from './text-file.js';

/** Where the files are, and how text becomes tokens. */
export interface OneBillionWordOptions extends TextFileOptions {
  /** Whose data path has the folder `1-billion-word`. Default: the configuration of this process. */
  readonly from?: FuelConfiguration;
}

/**
 * Google's One Billion Word benchmark (Chelba et al., 2013, arXiv:1312.3005), a sentence an example (Fuel: `OneBillionWord`).
 */
export class OneBillionWord extends TextFile {
  /**
   * @param whichSet training has the partitions 1 to 99, heldout 0 to 49
   * @param whichPartitions those to read, in this order
   * @param dictionary the number of each token, `<S>`, `</S>` and `<UNK>` among them
   * @throws RangeError for a partition that there is not, MissingInput for files that are in no folder of the data path
   */
  constructor(
    whichSet: 'training' | 'heldout',
    whichPartitions: readonly number[],
    dictionary: ReadonlyMap<string, number> | Readonly<Record<string, number>>,
    options: OneBillionWordOptions = {},
  ) {
    super(
      whichPartitions.map((partition) => findInDataPath(fileOf(whichSet, partition), options)),
      dictionary,
      options,
    );
  }
}

const SETS = {
  training: { first: 1, last: 99, folder: 'training-monolingual.tokenized.shuffled', name: 'news.en', of: 100 },
  heldout: { first: 0, last: 49, folder: 'heldout-monolingual.tokenized.shuffled', name: 'news.en.heldout', of: 50 },
} as const;

function fileOf(whichSet: 'training' | 'heldout', partition: number): string {
  const { first, last, folder, name, of } = SETS[whichSet];
  if (!Number.isInteger(partition) || partition < first || partition > last) {
    throw new RangeError(
      `OneBillionWord: there is no partition ${partition} of ${whichSet}; give some of ${first} to ${last}`,
    );
  }
  const numbered = [partition, of].map((number) => String(number).padStart(5, '0')).join('-of-');
  return join('1-billion-word', folder, `${name}-${numbered}`);
}
