import { ContentMismatch, ObjectExists, type TransferOptions } from '../store/object-store.js';
import { StoreAround, type StoreOperation } from '../store/store-around.js';

/** A store before another one that notes what is put, so that what fails half done can be undone. */
export class PutNotes extends StoreAround {
  readonly #written = new Set<string>();
  readonly #uncertain = new Set<string>();

  /** Keys of what was put since the last {@link forget}. */
  get written(): readonly string[] {
    return [...this.#written];
  }

  /** Keys of what may have been put: no answer has come, or that it failed. */
  get uncertain(): readonly string[] {
    return [...this.#uncertain];
  }

  forget(): void {
    this.#written.clear();
    this.#uncertain.clear();
  }

  protected override async around<T>(
    { method, keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (method !== 'put') return await perform(options);
    for (const key of keys) this.#uncertain.add(key);
    try {
      const answer = await perform(options);
      // One that is answered after its commit was given up stays uncertain: it is no part of what is noted now.
      for (const key of keys) if (this.#uncertain.delete(key)) this.#written.add(key);
      return answer;
    } catch (error) {
      // Nothing was written, and what is there may be another's.
      if (error instanceof ObjectExists || error instanceof ContentMismatch)
        for (const key of keys) this.#uncertain.delete(key);
      throw error;
    }
  }
}
