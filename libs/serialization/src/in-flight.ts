import { unlessAborted } from './unless-aborted.js';

/**
 * Does something with each of some items, with {@link MOST_IN_FLIGHT} at once and begun in their order. When one fails no more are begun, those
 * under way are waited for, and the first error is thrown.
 *
 * @param signals.leaving Once it is aborted nothing is waited for, and its reason is thrown
 * @param signals.wanted Once it is aborted no more are begun, and its reason is thrown when those under way are over. Default: all are wanted
 * @param work Does it with one. Its `signals.wanted` is aborted as soon as another has failed, too; whatever it begins after that is in vain
 */
export async function inFlight<T>(
  items: readonly T[],
  { leaving, wanted = leaving }: FlightSignals,
  work: (item: T, signals: Required<FlightSignals>) => Promise<void>,
): Promise<void> {
  const [only] = items;
  if (items.length === 1 && only !== undefined) {
    // Beside one alone nothing can fail.
    wanted.throwIfAborted();
    await unlessAborted(leaving, async () => await work(only, { leaving, wanted }));
    return;
  }
  const over = new AbortController();
  const signals = { leaving, wanted: AbortSignal.any([leaving, wanted, over.signal]) };
  const coming = items.values();
  let failure: { readonly error: unknown } | undefined;
  const goThrough = async (): Promise<void> => {
    for (const item of coming) {
      if (failure !== undefined) return;
      try {
        wanted.throwIfAborted();
        await unlessAborted(leaving, async () => await work(item, signals));
      } catch (error) {
        failure ??= { error };
        // Not with that error: it is not theirs.
        over.abort(new Error('it is wanted no more, as something that goes with it has failed'));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MOST_IN_FLIGHT, items.length) }, goThrough));
  if (failure !== undefined) throw failure.error;
}

export interface FlightSignals {
  readonly leaving: AbortSignal;
  readonly wanted?: AbortSignal;
}

/** Enough to keep a disk and a network busy, and few enough that the bytes in flight stay few. */
const MOST_IN_FLIGHT = 4;
