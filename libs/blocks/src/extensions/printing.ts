import type { LogRow, LogValue } from '../log/log-value.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';
import type { CallbackName } from './training-extension.js';

/** Options of {@link Printing}. */
export interface PrintingOptions extends SimpleExtensionOptions {
  /** Where the text goes. Default: standard output. */
  readonly write?: (text: string) => void;
}

/**
 * Prints the status and the current row of the log; by default before the first epoch, on resumption, after each epoch and
 * after training, and on interrupts. Names that start with `_` are left out.
 */
export class Printing extends SimpleExtension {
  readonly #write: (text: string) => void;

  constructor(options: PrintingOptions = {}) {
    super(options, {
      beforeFirstEpoch: true,
      onResumption: true,
      afterTraining: true,
      afterEpoch: true,
      onInterrupt: true,
    });
    this.#write = options.write ?? ((text) => process.stdout.write(text));
  }

  override do(callback: CallbackName): void {
    const { log } = this.mainLoop;
    const rule = '-'.repeat(79);
    const title = callback.replace(/[A-Z]/g, ' $&').toUpperCase();
    const lines = [
      '',
      rule,
      title,
      rule,
      'Training status:',
      ...listed({ ...log.status, epochEnds: log.status.epochEnds.length }),
      `Log records from the iteration ${log.status.iterationsDone}:`,
      ...listed(log.currentRow),
    ];
    this.#write(`${lines.join('\n')}\n\n`);
  }
}

function listed(entries: LogRow): string[] {
  return Object.keys(entries)
    .filter((name) => !name.startsWith('_'))
    .toSorted()
    .map((name) => `\t ${name}: ${formatted(entries[name] ?? null)}`);
}

function formatted(value: LogValue): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : JSON.stringify(value);
}
