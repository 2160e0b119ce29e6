import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';

/** Options of {@link Timestamp}. */
export interface TimestampOptions extends SimpleExtensionOptions {
  /** The name of the record. Default `timestamp`. */
  readonly logRecord?: string;
  /** Between date and time. Default a space. */
  readonly separator?: string;
}

/**
 * Writes the time to the log, in UTC: `2015-06-01 12:34:56.789Z`. By default before and after training, after each epoch, on errors, on
 * interrupts and on resumption. Like all that a clock says, it differs between a run that was killed and one that was not.
 */
export class Timestamp extends SimpleExtension {
  readonly #logRecord: string;
  readonly #separator: string;

  constructor(options: TimestampOptions = {}) {
    super(options, {
      beforeTraining: true,
      afterEpoch: true,
      onError: true,
      onInterrupt: true,
      onResumption: true,
      afterTraining: true,
    });
    this.#logRecord = options.logRecord ?? 'timestamp';
    this.#separator = options.separator ?? ' ';
  }

  override do(): void {
    this.mainLoop.log.currentRow[this.#logRecord] = new Date().toISOString().replace('T', this.#separator);
  }
}
