import type {
  ListedObject,
  ObjectBody,
  ObjectStore,
  RegisterValue,
  TransferOptions,
  WrittenFile,
} from '@longrun/serialization';
import { lookMsFor, ObservedTime } from '../processes/observed-time.js';

/** The object store has moved nothing for so long that it is not waited for any more. Whether what was asked is done is not known. */
export class StoreStalled extends Error {
  override readonly name = 'StoreStalled';
}

export interface WatchedStoreOptions {
  /**
   * How long an operation may move nothing, in ms. Default 600,000: a disk that has much to write before it can say that all of it is there
   * takes minutes.
   */
  readonly silentMs?: number;
  /** A monotonic clock, in milliseconds. Default: that of this process. */
  readonly now?: () => number;
}

/**
 * An object store that is not waited for without end: an operation rejects with {@link StoreStalled} when it has moved nothing for too
 * long, as this process sees it, and is left to itself. A transfer may take as long as it likes while it moves.
 */
export class WatchedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #silentMs: number;
  readonly #now: (() => number) | undefined;

  constructor(store: ObjectStore, { silentMs = SILENT_MS, now }: WatchedStoreOptions = {}) {
    this.#store = store;
    this.#silentMs = silentMs;
    this.#now = now;
  }

  get url(): string {
    return this.#store.url;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#watched(`read ${key}`, async () => await this.#store.get(key));
  }

  async download(key: string, path: string, options?: TransferOptions): Promise<WrittenFile | undefined> {
    return await this.#watched(`fetch ${key}`, async (moved) => {
      return await this.#store.download(key, path, { onMoved: both(moved, options?.onMoved) });
    });
  }

  async put(
    key: string,
    body: ObjectBody,
    options?: TransferOptions & { readonly ifAbsent?: boolean },
  ): Promise<WrittenFile> {
    return await this.#watched(`write ${key}`, async (moved) => {
      return await this.#store.put(key, body, { ...options, onMoved: both(moved, options?.onMoved) });
    });
  }

  async readRegister(key: string): Promise<RegisterValue | undefined> {
    return await this.#watched(`read ${key}`, async () => await this.#store.readRegister(key));
  }

  async compareAndSet(key: string, expected: string | null, bytes: Uint8Array): Promise<string> {
    return await this.#watched(`set ${key}`, async () => await this.#store.compareAndSet(key, expected, bytes));
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    const listed = this.#store.list(prefix)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#watched(`list ${prefix}`, async () => await listed.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#watched(`delete ${keys.length} objects`, async () => await this.#store.delete(keys));
  }

  async #watched<T>(what: string, operation: (moved: () => void) => Promise<T>): Promise<T> {
    const mostPerLookMs = lookMsFor(this.#silentMs);
    const observed = new ObservedTime({ mostPerLookMs, ...(this.#now !== undefined && { now: this.#now }) });
    observed.looked();
    let movedAtMs = 0;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        observed.looked();
        if (observed.ms - movedAtMs >= this.#silentMs) reject(this.#stalled(what));
      }, mostPerLookMs);
    });
    try {
      return await Promise.race([operation(() => (movedAtMs = observed.ms)), stalled]);
    } finally {
      clearInterval(timer);
    }
  }

  #stalled(what: string): StoreStalled {
    const { url } = this.#store;
    return new StoreStalled(
      `the object store ${url} was to ${what} and has moved nothing for ${this.#silentMs / 1000} s; see that it answers`,
    );
  }
}

const SILENT_MS = 600_000;

function both(moved: () => void, onMoved: () => void = () => {}): () => void {
  return () => {
    moved();
    onMoved();
  };
}
