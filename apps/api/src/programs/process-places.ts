/** A process that lives, and can be ended while it has nothing to do. */
export interface Lodger {
  end(): Promise<unknown>;
}

/**
 * The places of the processes of programs: so many live at once. Who needs one while all are taken waits, in turn, until one is left;
 * the process that has had nothing to do for longest is ended for it.
 */
export class ProcessPlaces {
  readonly #count: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];
  /** Those that have nothing to do, the longest first. */
  readonly #resting = new Set<Lodger>();
  /** Those that are being ended for one who waits. */
  readonly #ending = new Set<Lodger>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Resolves when a process may be begun. {@link leave} must follow. */
  async take(): Promise<void> {
    if (this.#taken < this.#count) {
      this.#taken += 1;
      return;
    }
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#makeRoom();
    await turn;
  }

  /** The process that had a place is gone, or was never begun. */
  leave(lodger?: Lodger): void {
    if (lodger !== undefined) {
      this.#resting.delete(lodger);
      this.#ending.delete(lodger);
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }

  /** It has nothing to do, and may be ended. */
  rest(lodger: Lodger): void {
    this.#resting.add(lodger);
    this.#makeRoom();
  }

  /** It has something to do again. */
  work(lodger: Lodger): void {
    this.#resting.delete(lodger);
  }

  /** No more are ended than wait: while one ends, whom it is ended for waits still. */
  #makeRoom(): void {
    if (this.#ending.size >= this.#waiting.length) return;
    const [longest] = this.#resting;
    if (longest === undefined) return;
    this.#resting.delete(longest);
    this.#ending.add(longest);
    void longest.end();
  }
}
