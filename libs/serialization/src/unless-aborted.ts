/**
 * What `work` comes to or, as soon as the signal is aborted, a rejection with its reason: then nobody waits for the work any more, and
 * it is not even begun if the signal was aborted before.
 */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return await work();
  signal.throwIfAborted();
  let give: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    give = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    signal.addEventListener('abort', give);
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    if (give !== undefined) signal.removeEventListener('abort', give);
  }
}
