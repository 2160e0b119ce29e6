import {
  ObjectAbsent,
  type ObjectStore,
  PreconditionFailed,
  RegisterDamaged,
  StoreAround,
  type StoreOperation,
  type TransferOptions,
} from '@longrun/serialization';

/** The object store could not be asked: that says nothing of what it holds. */
export class ObjectsUnreachable extends Error {
  override readonly name = 'ObjectsUnreachable';
}

/**
 * A store that is read for one request: whatever it is asked ends with the signal of that, and its own failures are ObjectsUnreachable, as
 * against what it says of what is there.
 */
export class AskedStore extends StoreAround {
  readonly #signal: AbortSignal | undefined;

  constructor(store: ObjectStore, signal?: AbortSignal) {
    super(store);
    this.#signal = signal;
  }

  protected override async around<T>(
    _operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const signals = [options.signal, this.#signal].filter((signal) => signal !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    signal?.throwIfAborted();
    try {
      return await perform({ ...options, signal });
    } catch (error) {
      const isAnswer = [ObjectAbsent, PreconditionFailed, RegisterDamaged].some((kind) => error instanceof kind);
      if (isAnswer || signal?.aborted === true) throw error;
      throw new ObjectsUnreachable(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}
