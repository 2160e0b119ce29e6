/** Has what is begun at once done one after the other, in the order in which it was begun. */
export class Turns {
  #last: Promise<unknown> | undefined;

  /** Whether something is being done. */
  get areTaken(): boolean {
    return this.#last !== undefined;
  }

  /** Does this once all before it has ended, in success or not. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last === undefined ? work() : this.#last.then(work, work);
    this.#last = turn;
    try {
      return await turn;
    } finally {
      if (this.#last === turn) this.#last = undefined;
    }
  }
}
