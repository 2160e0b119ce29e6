import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MissingInput } from '../errors.js';
import { TextFile, type TextFileOptions } from './text-file.js';

/** Where the files are, and how text becomes tokens. */
export interface OneBillionWordOptions extends TextFileOptions {
  /** Folders of which one has the folder `1-billion-word` (Fuel: `config.data_path`). */
  readonly dataPath: readonly string[];
}

/**
 * Google's One Billion Word benchmark (Chelba et al., 2013, arXiv:1312.3005), a sentence an example (Fuel: `OneBillionWord`).
 */
export class OneBillionWord extends TextFile {
  /**
   * @param whichSet training has the partitions 1 to 99, heldout 0 to 49
   * @param whichPartitions those to read, in this order
   * @param dictionary the number of each token, `<S>`, `</S>` and `<UNK>` among them
   * @throws RangeError for a partition that there is not, MissingInput for files that are in no folder
   */
  constructor(
    whichSet: 'training' | 'heldout',
    whichPartitions: readonly number[],
    dictionary: ReadonlyMap<string, number> | Readonly<Record<string, number>>,
    options: OneBillionWordOptions,
  ) {
    super(
      whichPartitions.map((partition) => fileOf(whichSet, partition, options.dataPath)),
      dictionary,
      options,
    );
  }
}

const SETS = {
  training: { first: 1, last: 99, folder: 'training-monolingual.tokenized.shuffled', name: 'news.en', of: 100 },
  heldout: { first: 0, last: 49, folder: 'heldout-monolingual.tokenized.shuffled', name: 'news.en.heldout', of: 50 },
} as const;

function fileOf(whichSet: 'training' | 'heldout', partition: number, dataPath: readonly string[]): string {
  const { first, last, folder, name, of } = SETS[whichSet];
  if (!Number.isInteger(partition) || partition < first || partition > last) {
    throw new RangeError(
      `OneBillionWord: there is no partition ${partition} of ${whichSet}; give some of ${first} to ${last}`,
    );
  }
  const numbered = [partition, of].map((number) => String(number).padStart(5, '0')).join('-of-');
  const file = join('1-billion-word', folder, `${name}-${numbered}`);
  const paths = dataPath.map((root) => join(root, file));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MissingInput(
    `${file} is in none of the folders ${dataPath.join(', ')}; unpack the benchmark there, or give its folder in dataPath`,
    paths,
  );
}
