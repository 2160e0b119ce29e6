import type { Batch } from '@longrun/fuel';

import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import { config } from '../configuration/config.js';
import { Profile } from './profile.js';

/** Where the time of a main loop goes: by section always, and, while `config.profile` asks for it, by callback, by extension and, of one step, by brick. */
export class LoopProfile {
  readonly sections = new Profile();
  #isDetailed = false;
  #ofStep: string | undefined;

  /** Whether this run is looked at closely. */
  get isDetailed(): boolean {
    return this.#isDetailed;
  }

  /** A run begins. */
  begin(): void {
    this.#isDetailed = config.profile;
    this.#ofStep = undefined;
  }

  async timed<T>(section: string, action: () => Promise<T>): Promise<T> {
    this.sections.enter(section);
    try {
      return await action();
    } finally {
      this.sections.exit();
    }
  }

  /** Has the first step of the run profiled. Only of one that is looked at closely. */
  async lookAtStep(algorithm: TrainingAlgorithm, batch: Batch): Promise<void> {
    if (this.#ofStep !== undefined) return;
    this.#ofStep = await this.timed('profile', () => byBrick(algorithm, batch));
  }

  /** The run has ended: prints what was asked for. */
  end(): void {
    if (!this.#isDetailed) return;
    this.sections.report();
    if (this.#ofStep !== undefined && this.#ofStep !== '') process.stderr.write(`\n${this.#ofStep}\n`);
  }
}

/** What a step takes, by brick, or why that is not known. Of few runs: steps may be long. */
async function byBrick(algorithm: TrainingAlgorithm, batch: Batch): Promise<string> {
  try {
    return String((await algorithm.profile?.(batch, { runs: 3 })) ?? '');
  } catch (error) {
    return `There is no profile by brick: ${error instanceof Error ? error.message : String(error)}`;
  }
}
