import type { WrittenFile } from '../durable-file.js';
import type {
  DownloadUrlOptions,
  ListedObject,
  ObjectBody,
  ObjectFacts,
  ObjectStore,
  OperationOptions,
  PutOptions,
  ReadOptions,
  RegisterValue,
  StoreProbe,
  TransferOptions,
} from './object-store.js';

/** An operation of a store, for who stands before it. */
export interface StoreOperation {
  readonly method: Exclude<keyof ObjectStore, 'url' | 'takesFiles'>;
  /** The keys that it is about, or the start of those to be listed; none where it is about the whole store. */
  readonly keys: readonly string[];
}

/**
 * A store before another one: each operation passes through {@link around}. Of those that give one thing after the other, `list` and
 * `openRead`, each step does.
 */
export abstract class StoreAround implements ObjectStore {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  get url(): string {
    return this.#store.url;
  }

  get takesFiles(): boolean {
    return this.#store.takesFiles;
  }

  /** @param perform asks the store itself, with the options that are to pass */
  protected abstract around<T>(
    operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T>;

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const { range } = options;
    return this.around({ method: 'get', keys: [key] }, options, (passed) => this.#store.get(key, { ...passed, range }));
  }

  openRead(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { range } = options;
    const open = (passed: OperationOptions): AsyncIterable<Uint8Array> =>
      this.#store.openRead(key, { ...passed, range });
    return this.#steps({ method: 'openRead', keys: [key] }, options, open);
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectFacts | undefined> {
    return this.around({ method: 'head', keys: [key] }, options, (passed) => this.#store.head(key, passed));
  }

  async download(key: string, path: string, options: TransferOptions = {}): Promise<WrittenFile | undefined> {
    return this.around({ method: 'download', keys: [key] }, options, (passed) =>
      this.#store.download(key, path, passed),
    );
  }

  async downloadUrl(key: string, options: DownloadUrlOptions): Promise<string | undefined> {
    const { validMs, fileName } = options;
    return this.around({ method: 'downloadUrl', keys: [key] }, options, (passed) =>
      this.#store.downloadUrl(key, { ...passed, validMs, fileName }),
    );
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<WrittenFile> {
    const { ifAbsent, expected } = options;
    return this.around({ method: 'put', keys: [key] }, options, (passed) =>
      this.#store.put(key, body, { ...passed, ifAbsent, expected }),
    );
  }

  async readRegister(key: string, options: OperationOptions = {}): Promise<RegisterValue | undefined> {
    return this.around({ method: 'readRegister', keys: [key] }, options, (passed) =>
      this.#store.readRegister(key, passed),
    );
  }

  async compareAndSet(
    key: string,
    expected: string | null,
    bytes: Uint8Array,
    options: OperationOptions = {},
  ): Promise<string> {
    return this.around({ method: 'compareAndSet', keys: [key] }, options, (passed) =>
      this.#store.compareAndSet(key, expected, bytes, passed),
    );
  }

  list(prefix: string, options: OperationOptions = {}): AsyncGenerator<ListedObject> {
    return this.#steps({ method: 'list', keys: [prefix] }, options, (passed) => this.#store.list(prefix, passed));
  }

  async delete(keys: readonly string[], options: TransferOptions = {}): Promise<void> {
    return this.around({ method: 'delete', keys }, options, (passed) => this.#store.delete(keys, passed));
  }

  async probe(options: OperationOptions = {}): Promise<StoreProbe> {
    return this.around({ method: 'probe', keys: [] }, options, (passed) => this.#store.probe(passed));
  }

  async sweep(options: OperationOptions = {}): Promise<number> {
    return this.around({ method: 'sweep', keys: [] }, options, (passed) => this.#store.sweep(passed));
  }

  async *#steps<T>(
    operation: StoreOperation,
    options: OperationOptions,
    open: (passed: OperationOptions) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    // A step that is given up ends the whole: what the store has open is let go.
    const over = new AbortController();
    const steps = open({ signal: over.signal })[Symbol.asyncIterator]();
    let isDone = false;
    try {
      for (;;) {
        const next = await this.around(operation, options, async ({ signal }) => {
          const end = (): void => over.abort(signal?.reason);
          signal?.addEventListener('abort', end);
          try {
            signal?.throwIfAborted();
            return await steps.next();
          } finally {
            signal?.removeEventListener('abort', end);
          }
        });
        isDone = next.done === true;
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      if (!isDone) {
        over.abort();
        // Not waited for: it may be what does not answer.
        steps.return?.()?.catch(() => undefined);
      }
    }
  }
}
