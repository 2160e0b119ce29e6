/** What a rate is taken over, in milliseconds. */
const WINDOW_MS = 5_000;

/** A rate over less than this says more about the clock than about training. */
const LEAST_SPAN_MS = 200;

/** Moments closer than this to the one before are not kept: their number has a bound, however often it is asked. */
const APART_MS = 100;

/** How many batches a second are done, over the last five seconds, or over the last two moments where those lie further apart. */
export class StepRate {
  #moments: { readonly step: number; readonly atMs: number }[] = [];
  #perSecond = 0;

  /** Training begins, or goes on, at this step. */
  restart(step: number, nowMs: number): void {
    this.#moments = [{ step, atMs: nowMs }];
    this.#perSecond = 0;
  }

  /** The rate when so many steps are done; 0 until there is something to take it over. */
  at(step: number, nowMs: number): number {
    // The newest that covers the window is the first that is kept.
    const covering = this.#moments.findLastIndex(({ atMs }) => nowMs - atMs >= WINDOW_MS);
    if (covering > 0) this.#moments = this.#moments.slice(covering);
    const [oldest] = this.#moments;
    if (oldest !== undefined && nowMs - oldest.atMs >= LEAST_SPAN_MS) {
      this.#perSecond = (1000 * (step - oldest.step)) / (nowMs - oldest.atMs);
    }
    const newest = this.#moments.at(-1);
    if (newest === undefined || nowMs - newest.atMs >= APART_MS) this.#moments.push({ step, atMs: nowMs });
    return this.#perSecond;
  }
}
