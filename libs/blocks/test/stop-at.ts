import { TrainingExtension } from '../src/index.js';

/** Has training stop after a batch, as a preemption does; without a number of one, it never does. */
export class StopAt extends TrainingExtension {
  readonly step: number | undefined;

  constructor(step?: number) {
    super();
    this.step = step;
  }

  override afterBatch(): void {
    if (this.mainLoop.status.iterationsDone === this.step) this.mainLoop.requestStop();
  }
}
