/** How many kills are still to come, of runs that go side by side. */
export class Quota {
  #left: number;
  #isOver = false;

  constructor(count: number) {
    this.#left = count;
  }

  get left(): number {
    return this.#left;
  }

  /** One of them; false where there is none left. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  /** It has hit nobody. */
  giveBack(): void {
    if (!this.#isOver) this.#left += 1;
  }

  /** No more are to come: something has failed. */
  end(): void {
    this.#isOver = true;
    this.#left = 0;
  }
}
