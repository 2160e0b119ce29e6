import { setTimeout as sleep } from 'node:timers/promises';
import { HeadDamaged, LeaseLost, LeaseRefused, StoreStalled, unlessAborted } from '@longrun/serialization';

export interface StorageRetryOptions {
  /** What is being done, for the error: `commit the checkpoint of step 100`. */
  readonly what: string;
  /** Times it is tried in all. Default 5. */
  readonly attempts?: number;
  /** Pause after the first failure, in ms; doubled after each. Default 250. */
  readonly delayMs?: number;
  /** Aborted, it gives up and leaves what is under way to itself. */
  readonly signal?: AbortSignal;
}

/** The object store or the local disk failed again and again, or whoever waited for it had to leave. The last error is its `cause`. */
export class StorageFailed extends Error {
  override readonly name: string = 'StorageFailed';
}

/** The object store of the worker lacks what the record has put there, or knows to be there: it may be that of another platform, or of none. */
export class ForeignStore extends StorageFailed {
  override readonly name = 'ForeignStore';
}

/**
 * Does something with the object store or the local disk, and again when it failed, a bounded number of times.
 * A lease that was lost, refused or damaged is thrown at once: no retry can bring it back. So is what `isFinal` names. A store
 * that has stalled was waited for long enough.
 */
export async function withStorageRetries<T>(
  operation: () => Promise<T>,
  options: StorageRetryOptions,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<T> {
  const attempts = options.attempts ?? 5;
  let delayMs = options.delayMs ?? 250;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await unlessAborted(options.signal, operation);
    } catch (error) {
      if (error instanceof LeaseLost || error instanceof LeaseRefused || error instanceof HeadDamaged) throw error;
      if (options.signal?.aborted === true)
        throw new StorageFailed(`Could not ${options.what} before this attempt had to end`, { cause: error });
      if (isFinal(error)) throw error;
      if (error instanceof StoreStalled)
        throw new StorageFailed(`Could not ${options.what}: ${error.message}`, { cause: error });
      if (attempt >= attempts) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new StorageFailed(`Could not ${options.what}, tried ${attempt} times: ${reason}`, { cause: error });
      }
    }
    await sleep(delayMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => {});
    delayMs *= 2;
  }
}
