import type { Terminal } from '../../output/terminal.js';

/**
 * Says it where the process ends before training has, and makes that a failure: a program may call process.exit, or await what never comes, and nobody is to
 * take that for the end of training.
 */
export class AbandonedRun {
  readonly #onExit: (code: number) => void;

  constructor(terminal: Terminal) {
    this.#onExit = (code) => {
      terminal.say(
        `longrun: training has not finished, and its process ends with exit code ${code}; ` +
          'a program must neither call process.exit nor await what never comes',
      );
      if (code === 0) process.exitCode = 1;
    };
    process.on('exit', this.#onExit);
  }

  /** The run has come to an end of its own. */
  release(): void {
    process.off('exit', this.#onExit);
  }
}
