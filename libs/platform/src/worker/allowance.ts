/** What may be spent: it grows with time, up to a most. */
export class Allowance {
  readonly #most: number;
  readonly #perSecond: number;
  #rest: number;
  #at: number;

  /** @param now a monotonic clock's, in milliseconds, as for {@link has} */
  constructor(most: number, perSecond: number, now: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#rest = most;
    this.#at = now;
  }

  /** Whether there is so much; what is more than there can ever be is taken from a full one. */
  has(amount: number, now: number): boolean {
    this.#rest = Math.min(this.#most, this.#rest + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    return this.#rest >= Math.min(amount, this.#most);
  }

  take(amount: number): void {
    this.#rest -= amount;
  }
}
