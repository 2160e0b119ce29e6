/** Has what is begun at once done one after the other, in the order in which it was begun. */
export class Turns {
  #last: Promise<unknown> | undefined;

  /** Whether something is being done. */
  get areTaken(): boolean {
    return this.#last !== undefined;
  }

  /** Does this once all before it has ended, in success or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last === undefined ? work() : this.#last.then(work, work);
    this.#last = turn;
    // Before whoever waits for the turn goes on, as this was the first to wait for it.
    const leave = (): void => {
      if (this.#last === turn) this.#last = undefined;
    };
    turn.then(leave, leave);
    return turn;
  }
}
