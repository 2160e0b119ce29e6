import { unlessAborted } from './unless-aborted.js';

/**
 * Does something with each of some items, with {@link MOST_IN_FLIGHT} at once and begun in their order. When one fails no more are begun, those
 * under way are told by their signal and waited for, and the first error is thrown.
 *
 * @param signal Once it is aborted nothing is waited for, and its reason is thrown
 */
export async function inFlight<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const whileWanted = AbortSignal.any([signal, over.signal]);
  const coming = items.values();
  let failure: { readonly error: unknown } | undefined;
  const goThrough = async (): Promise<void> => {
    for (const item of coming) {
      if (failure !== undefined) return;
      try {
        await unlessAborted(signal, async () => await work(item, whileWanted));
      } catch (error) {
        failure ??= { error };
        // Not with that error: it is not theirs.
        over.abort(new Error('it is wanted no more, as something else has failed that goes with it'));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MOST_IN_FLIGHT, items.length) }, goThrough));
  if (failure !== undefined) throw failure.error;
}

/** Enough to keep a disk and a network busy, and few enough that the bytes in flight stay few. */
const MOST_IN_FLIGHT = 4;
