/** A file exists but is not what it should be. The message names the file, what is wrong with it and what to do. */
export class CorruptInput extends Error {
  override readonly name = 'CorruptInput';
  readonly path: string;
  readonly problem: string;

  /**
   * @param path the file that is wrong
   * @param problem what is wrong with it, as the rest of a sentence that starts with the path
   */
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
    this.problem = problem;
  }
}

/** A dataset is whole, but not what is needed here. The message says what it is and what to give instead. */
export class UnsuitableDataset extends Error {
  override readonly name = 'UnsuitableDataset';
}

/** What Fuel is told by its file or the environment is missing or cannot be; the message says where and what to write there. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Files that are needed are not there (Fuel's MissingInputFiles). */
export class MissingInput extends Error {
  override readonly name = 'MissingInput';
  readonly paths: readonly string[];

  /**
   * @param message a sentence with the remedy
   * @param paths the files that are missing
   */
  constructor(message: string, paths: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.paths = paths;
  }
}

/** A file could not be downloaded. The message says from where, why, and how to go on without a network. */
export class DownloadFailed extends Error {
  override readonly name = 'DownloadFailed';
  readonly file: string;

  /**
   * @param message a sentence with the remedy
   * @param file name of the file that was wanted
   */
  constructor(message: string, file: string, options?: ErrorOptions) {
    super(message, options);
    this.file = file;
  }
}

/** The axes of a source are not those that a transformer works on. */
export class AxisLabelsMismatchError extends RangeError {
  override readonly name = 'AxisLabelsMismatchError';
}

/** A disk has less room than is needed. The message says how much there is of both. */
export class NotEnoughSpace extends Error {
  override readonly name = 'NotEnoughSpace';
}
