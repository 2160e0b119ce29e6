import type { TrainingContext } from '../main-loop/training-context.js';
import type { Output } from '../outputs/output.js';
import { awaitRecords } from './awaited-records.js';
import { TrainingExtension } from './training-extension.js';

/**
 * Writes what the log has of each epoch as a line of a table, `epoch` and these records, with commas between. To be given after the extensions
 * that log them. Saves nothing but the output.
 */
export class EpochTable extends TrainingExtension {
  readonly #table: Output;
  readonly #records: readonly string[];

  /** @param records names of records of the log, as `test_cost` */
  constructor(table: Output, records: readonly string[]) {
    super();
    this.#table = table;
    this.#records = records;
    table.write(`${['epoch', ...records].join(',')}\n`);
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    awaitRecords(this.name, mainLoop.log, this.#records);
  }

  override afterEpoch(): void {
    const { log, status } = this.mainLoop;
    const values = this.#records.map((record) => log.currentRow[record]);
    this.#table.append(`${[status.epochsDone, ...values].join(',')}\n`);
  }
}
