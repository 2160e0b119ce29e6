/** What is done after commits, one after the other. Whoever writes next waits for it. */
export class Upkeep {
  readonly #onFailure: (error: unknown) => void;
  /** Never fails. */
  #last: Promise<void> = Promise.resolve();

  /** @param onFailure Told what went wrong: nobody else waits for it. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Does something after all else. */
  later(work: () => Promise<void>): void {
    const told = async (error: unknown): Promise<void> => this.#onFailure(error);
    // Whoever cannot be told has thrown in a place where nobody waits.
    this.#last = this.#last
      .then(work)
      .catch(told)
      .catch(() => undefined);
  }

  /** Waits until nothing is done any more. */
  async settled(): Promise<void> {
    for (let awaited: Promise<void> | undefined; awaited !== this.#last;) {
      awaited = this.#last;
      await awaited;
    }
  }
}
