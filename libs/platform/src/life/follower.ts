import type { LiveEvent } from '@longrun/contracts';

/** Events that follow each other: all there are after `from` up to `to`. Progress belongs nowhere: both are -1. */
export interface EventBatch {
  readonly from: number;
  readonly to: number;
  readonly events: readonly LiveEvent[];
  /** What the log's rows among them take as JSON, about; all others are small. */
  readonly rowBytes: number;
}

/** One who follows an experiment: what has come and was not taken yet, within a bound. */
export class Follower {
  #waiting: EventBatch[] = [];
  #size = 0;
  #rowBytes = 0;
  #dropped = false;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal | undefined) {
    signal?.addEventListener('abort', () => this.close(), { once: true });
    if (signal?.aborted === true) this.#closed = true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How many events wait. */
  get size(): number {
    return this.#size;
  }

  /** Takes a batch, or drops all: who lets too many pile up gets them from the record instead. */
  push(batch: EventBatch): void {
    if (this.#dropped) return;
    const [size, rowBytes] = [this.#size + batch.events.length, this.#rowBytes + batch.rowBytes];
    if (size > MAX_WAITING || rowBytes > MAX_WAITING_ROW_BYTES) {
      this.#waiting = [];
      this.#size = 0;
      this.#rowBytes = 0;
      this.#dropped = true;
    } else {
      this.#waiting.push(batch);
      this.#size = size;
      this.#rowBytes = rowBytes;
    }
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Batches as they come, until some were dropped or it is closed. */
  async *live(): AsyncGenerator<EventBatch, void, undefined> {
    for (;;) {
      if (this.#closed) return;
      if (this.#dropped) {
        this.#dropped = false;
        return;
      }
      const batch = this.#waiting.shift();
      if (batch === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#size -= batch.events.length;
      this.#rowBytes -= batch.rowBytes;
      yield batch;
    }
  }
}

/** Events that may wait for one follower, at most. */
export const MAX_WAITING = 10_000;
/** And of log rows that may wait for one follower, as JSON. */
export const MAX_WAITING_ROW_BYTES = 16 * 2 ** 20;
