import { lookMsFor, ObservedTime } from '../observed-time.js';
import { unlessAborted } from '../unless-aborted.js';
import type { ObjectStore, TransferOptions } from './object-store.js';
import { StoreAround, type StoreOperation } from './store-around.js';

/** The object store has moved nothing for so long that it is not waited for any more. Whether what was asked is done is not known. */
export class StoreStalled extends Error {
  override readonly name = 'StoreStalled';
}

export interface WatchedStoreOptions {
  /**
   * How long an operation may move nothing, in ms. Default 600,000: a disk that has much to write before it can say that all of it is there
   * takes minutes.
   */
  readonly silentMs?: number | undefined;
  /** A monotonic clock, in milliseconds. Default: that of this process. */
  readonly now?: () => number;
}

/**
 * An object store that is not waited for without end: an operation rejects with {@link StoreStalled} when it has moved nothing for too
 * long, as this process sees it, or with the reason of its signal as soon as that is aborted, and is left to itself. A transfer may take
 * as long as it likes while it moves.
 */
export class WatchedStore extends StoreAround {
  readonly #silentMs: number;
  readonly #now: (() => number) | undefined;

  constructor(store: ObjectStore, { silentMs = SILENT_MS, now }: WatchedStoreOptions = {}) {
    super(store);
    this.#silentMs = silentMs;
    this.#now = now;
  }

  protected override async around<T>(
    operation: StoreOperation,
    { signal, onMoved }: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const mostPerLookMs = lookMsFor(this.#silentMs);
    const observed = new ObservedTime({ mostPerLookMs, ...(this.#now !== undefined && { now: this.#now }) });
    observed.looked();
    let movedAtMs = 0;
    const givenUp = new AbortController();
    const timer = setInterval(() => {
      observed.looked();
      if (observed.ms - movedAtMs >= this.#silentMs) givenUp.abort(this.#stalled(operation));
    }, mostPerLookMs);
    const abort = (): void => givenUp.abort(signal?.reason);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted === true) abort();
    const moved = (): void => {
      movedAtMs = observed.ms;
      onMoved?.();
    };
    try {
      return await unlessAborted(givenUp.signal, () => perform({ signal: givenUp.signal, onMoved: moved }));
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  #stalled({ method, keys }: StoreOperation): StoreStalled {
    const what = method === 'delete' ? `${keys.length} objects` : keys.join(' ');
    return new StoreStalled(
      `the object store ${this.url} was to ${[VERBS[method], what].join(' ').trim()} and has moved nothing for ` +
        `${this.#silentMs / 1000} s; see that it answers`,
    );
  }
}

const SILENT_MS = 600_000;

const VERBS: Readonly<Record<StoreOperation['method'], string>> = {
  get: 'read',
  openRead: 'read',
  head: 'look at',
  download: 'fetch',
  downloadUrl: 'sign',
  put: 'write',
  readRegister: 'read',
  compareAndSet: 'set',
  list: 'list',
  delete: 'delete',
  probe: 'prove what it can do',
  sweep: 'sweep',
};
