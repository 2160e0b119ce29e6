/**
 * The orders of epochs, which are made when they are first asked for. For each reader that of the epoch that it asked for last is kept, once for all that are in
 * one epoch.
 */
export class KeptOrders<T> {
  /** Of readers that are gone nothing is kept. */
  readonly #kept = new WeakMap<object, EpochOrder<T>>();
  #last: EpochOrder<T> | undefined;
  readonly #make: (epoch: number) => T;

  /** @param make makes the same for an epoch whenever it is called */
  constructor(make: (epoch: number) => T) {
    this.#make = make;
  }

  /** That of an epoch, for one who goes through it. Not to be written to. */
  of(epoch: number, reader: object = this): T {
    const kept = this.#kept.get(reader);
    if (kept?.epoch === epoch) return kept.order;
    const last = this.#last?.epoch === epoch ? this.#last : { epoch, order: this.#make(epoch) };
    this.#last = last;
    this.#kept.set(reader, last);
    return last.order;
  }
}

interface EpochOrder<T> {
  readonly epoch: number;
  readonly order: T;
}
