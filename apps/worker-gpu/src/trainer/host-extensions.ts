import {
  encodeNumber,
  type ExperimentSpec,
  NonFiniteCost,
  storableText,
  type TrainerMessage,
} from '@longrun/contracts';
import {
  Checkpoint,
  CostWatch,
  type FinishedSnapshot,
  Reporting,
  type SnapshotWriting,
  TrainingExtension,
} from '@longrun/blocks';
import type { ParentLink } from '@longrun/platform/child';
import type { Hold } from './hold.js';
import { encodeRow } from './log-row.js';

export interface HostExtensionsOptions {
  readonly parent: ParentLink;
  /** Training waits while it is on. */
  readonly hold: Hold;
  /** Batches between two checkpoints. */
  readonly everyBatches: number;
  /** What happens when the cost is not a finite number. */
  readonly onNonFinite: ExperimentSpec['onNonFinite'];
  /** Where snapshots are made, each in a folder of its own. */
  readonly snapshotFolder: string;
  /** Called with each finished snapshot; training may go on, but the next one is not written before it resolves. */
  readonly onSnapshot: (snapshot: FinishedSnapshot) => Promise<void>;
  /** Told how far a file of a snapshot is written. */
  readonly onWritten: NonNullable<SnapshotWriting['onWritten']>;
  readonly tell: (message: TrainerMessage) => void;
}

/** What every main loop is given on top of its program's own extensions. */
export function hostExtensions(options: HostExtensionsOptions): readonly TrainingExtension[] {
  return [
    // Before the checkpoint: what has diverged is not to take the place of one that has not.
    new CostWatch({
      name: 'HostCostWatch',
      stops: options.onNonFinite === 'stop',
      onNonFinite: ({ step, record, value }) =>
        options.tell({ type: 'non_finite', step, record: shownName(record), value: shownValue(value) }),
    }),
    new Reporting({
      name: 'HostReporting',
      onLogRow: (step, row) => options.tell({ type: 'log_row', step, row: encodeRow(row) }),
      onProgress: ({ step, epoch, stepsPerEpoch, totalSteps, stepsPerSecond }) =>
        options.tell({
          type: 'progress',
          step,
          epoch,
          ...(stepsPerEpoch === null ? {} : { stepsPerEpoch }),
          ...(totalSteps === null ? {} : { totalSteps }),
          stepsPerSecond,
        }),
      progressEveryMs: 250,
    }),
    new Checkpoint({
      name: 'HostCheckpoint',
      folder: options.snapshotFolder,
      everyNBatches: options.everyBatches,
      // The snapshot after the last step is committed together with the outcome.
      afterTraining: false,
      onSnapshot: options.onSnapshot,
      isHandedOver: true,
      onWritten: options.onWritten,
      // A path that differs from attempt to attempt has no place in a log that must not.
      logRecord: null,
    }),
    new WorkerWatch(options.parent, options.hold),
  ];
}

function shownName(record: string): string {
  return record === '' ? 'cost' : storableText(record).slice(0, 200);
}

function shownValue(value: number): NonFiniteCost['value'] {
  return NonFiniteCost.shape.value.parse(encodeNumber(value));
}

/**
 * Ends the process between two steps if its worker has gone, and waits for a worker that is behind in hearing or that has it wait.
 * While it waits, the process hears all that the worker says, its going included.
 */
class WorkerWatch extends TrainingExtension {
  readonly #parent: ParentLink;
  readonly #hold: Hold;

  constructor(parent: ParentLink, hold: Hold) {
    super();
    this.#parent = parent;
    this.#hold = hold;
  }

  override afterBatch(): Promise<void> | undefined {
    this.#parent.leaveIfOrphaned();
    return this.#parent.isBehind || this.#hold.isOn ? this.#wait() : undefined;
  }

  async #wait(): Promise<void> {
    if (this.#parent.isBehind) await this.#parent.settled();
    await this.#hold.over();
    this.#parent.leaveIfOrphaned();
  }
}
