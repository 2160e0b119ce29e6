import { SupervisedChild, type SupervisedChildOptions } from '@longrun/platform/worker';

type Hearing = Pick<SupervisedChildOptions, 'onMessage' | 'onLine'>;

/**
 * Trainer processes. Starting one and loading the engines takes a good part of a second, so that a worker which waits for work keeps
 * one that has loaded them and waits for its assignment. Each is used for one attempt only, whether it was kept or not.
 */
export class Trainers {
  readonly #script: string;
  #spare: Spare | undefined;

  /** @param script the trainer's module, absolute */
  constructor(script: string) {
    this.#script = script;
  }

  /** The number of the process that waits for an assignment; undefined when there is none. */
  get sparePid(): number | undefined {
    return this.#spare?.child.pid;
  }

  /** Starts one that waits for the next attempt, if none does. */
  keepSpare(): void {
    if (this.#spare !== undefined) return;
    const spare = new Spare(this.#script);
    this.#spare = spare;
    // One that ended, whatever ended it, is of no use; the next attempt starts its own.
    void spare.child.exited.then(() => this.#forget(spare));
  }

  /** A trainer for one attempt: the one that waits, or else a new one. */
  take(hearing: Hearing): SupervisedChild {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined) return new SupervisedChild({ script: this.#script, ...hearing });
    spare.hearing.become(hearing);
    return spare.child;
  }

  /** Ends the one that waits. */
  async close(): Promise<void> {
    await this.#spare?.child.kill();
  }

  #forget(spare: Spare): void {
    if (this.#spare === spare) this.#spare = undefined;
  }
}

class Spare {
  readonly hearing = new LateHearing();
  readonly child: SupervisedChild;

  constructor(script: string) {
    this.child = new SupervisedChild({
      script,
      onMessage: (message) => this.hearing.tell((to) => to.onMessage(message)),
      onLine: (stream, text) => this.hearing.tell((to) => to.onLine(stream, text)),
    });
  }
}

/** Keeps what was said before anybody listened. A trainer without an assignment says next to nothing. */
class LateHearing {
  #hearing: Hearing | undefined;
  #kept: ((to: Hearing) => void)[] = [];

  tell(say: (to: Hearing) => void): void {
    if (this.#hearing !== undefined) say(this.#hearing);
    else if (this.#kept.length < MOST_KEPT) this.#kept.push(say);
  }

  become(hearing: Hearing): void {
    this.#hearing = hearing;
    for (const say of this.#kept.splice(0)) say(hearing);
  }
}

const MOST_KEPT = 100;
