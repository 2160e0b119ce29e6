import { rm } from 'node:fs/promises';
import { Checkpoint, type FinishedSnapshot, Reporting, TrainingExtension } from '@longrun/blocks';
import { tellingGrowth } from './growth.js';
import { trainingOf } from './saved-network.js';
import type { TrainingOrder, TrainingReport } from './watched-training.js';

/** A process that trains, has its state saved on request as a trainer does, and says what its steps took meanwhile. */
const [, , folder = '', width = ''] = process.argv;

function say(report: TrainingReport): void {
  process.send?.(report);
}

/** Lets training go on a round at a time, and takes the times of it. */
class Rounds extends TrainingExtension {
  readonly #checkpoint: Checkpoint;
  #begin: (undisturbedSteps: number) => void = () => {};
  /** Steps to be done before the snapshot is taken. */
  #left = 0;
  #undisturbed: number[] = [];
  #disturbed: number[] = [];
  /** When the last step ended, and the callbacks after it. */
  #endedAt = 0;
  #calledAt = 0;
  #blocked: number | undefined;
  #between = 0;
  #acknowledgedAt: number | undefined;

  constructor(checkpoint: Checkpoint) {
    super();
    this.#checkpoint = checkpoint;
    process.on('message', (order: TrainingOrder) => {
      if ('undisturbedSteps' in order) this.#begin(order.undisturbedSteps);
      else void this.#acknowledged(order.committed);
    });
  }

  override async beforeTraining(): Promise<void> {
    say({ isReady: true });
    await this.#next();
  }

  override beforeBatch(): void {
    if (this.#calledAt === 0) return;
    const since = performance.now() - this.#endedAt;
    this.#blocked ??= since;
    this.#between = Math.max(this.#between, since);
  }

  override async afterBatch(): Promise<void> {
    const now = performance.now();
    (this.#calledAt === 0 ? this.#undisturbed : this.#disturbed).push(now - this.#endedAt);
    this.#endedAt = now;
    if (this.#acknowledgedAt !== undefined) {
      this.#tell(this.#acknowledgedAt);
      return await this.#next();
    }
    this.#left -= 1;
    if (this.#left !== 0) return;
    this.#calledAt = this.#endedAt;
    await this.#checkpoint.do('afterBatch');
  }

  async #next(): Promise<void> {
    this.#left = await new Promise<number>((resolve) => (this.#begin = resolve));
    this.#endedAt = performance.now();
  }

  async #acknowledged(snapshotFolder: string): Promise<void> {
    const now = performance.now();
    await rm(snapshotFolder, { recursive: true, force: true });
    this.#acknowledgedAt = now;
  }

  #tell(acknowledgedAt: number): void {
    say({
      round: {
        undisturbed: this.#undisturbed,
        blocked: this.#blocked ?? Number.NaN,
        disturbed: this.#disturbed,
        between: this.#between,
        saved: acknowledgedAt - this.#calledAt,
      },
    });
    this.#undisturbed = [];
    this.#disturbed = [];
    this.#calledAt = 0;
    this.#blocked = undefined;
    this.#between = 0;
    this.#acknowledgedAt = undefined;
  }
}

const checkpoint = new Checkpoint({
  folder,
  afterTraining: false,
  isHandedOver: true,
  onSnapshot: ({ folder: where, step, environment, files }: FinishedSnapshot) =>
    say({ snapshot: { folder: where, step, environment, files: files.map(({ name, path }) => ({ name, path })) } }),
  onWritten: tellingGrowth(say),
  logRecord: null,
});
const rows: string[] = [];
// As a trainer does: every row is written out as JSON.
const reporting = new Reporting({ onLogRow: (step, row) => rows.push(JSON.stringify({ step, row })) });
await trainingOf(Number(width), [reporting, checkpoint, new Rounds(checkpoint)]).run();
