import type { Warn } from '../redis/connection.js';
import { Troubles } from './troubles.js';

export interface BackgroundWorkOptions<T> {
  /** Does it, for one. */
  readonly work: (one: T, signal: AbortSignal) => Promise<void>;
  /** What that is, for a sentence: `copying the checkpoint that exp_… begins from`. */
  readonly what: (one: T) => string;
  readonly warn: Warn;
}

/** What is done for lives while the controller goes on, as it may take long: some at a time, each once at a time. What fails is said, and tried again. */
export class BackgroundWork<T extends { readonly id: string }> {
  readonly #options: BackgroundWorkOptions<T>;
  readonly #stop = new AbortController();
  readonly #troubles = new Troubles();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: BackgroundWorkOptions<T>) {
    this.#options = options;
  }

  /** Begins with those that nobody is at, as many as there is room for. */
  begin(waiting: readonly T[]): void {
    for (const one of waiting) {
      if (this.#underWay.size >= AT_ONCE) return;
      if (this.#underWay.has(one.id)) continue;
      const work = this.#try(one).finally(() => this.#underWay.delete(one.id));
      this.#underWay.set(one.id, work);
    }
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('The controller stops'));
    await Promise.all(this.#underWay.values());
  }

  async #try(one: T): Promise<void> {
    const { work, what, warn } = this.#options;
    const name = what(one);
    try {
      await work(one, this.#stop.signal);
      this.#troubles.over(name);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (this.#troubles.isNew(name, String(error))) warn(`${name} failed: ${String(error)}; trying again`);
    }
  }
}

/** At the same time: each is bound by the store. */
const AT_ONCE = 4;
