import type { ServerResponse } from 'node:http';

/**
 * Does something for a client with a signal that is aborted when the client leaves; what is thrown after that is nobody's to hear, and
 * the answer is let go.
 */
export async function untilGone(response: ServerResponse, work: (gone: AbortSignal) => Promise<void>): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once('close', leave);
  // It may have left before: its 'close' does not come again.
  if (response.destroyed) return;
  try {
    await work(gone.signal);
  } catch (error) {
    // A write may find that before it is said.
    const isGone = gone.signal.aborted || response.socket?.destroyed === true;
    if (!isGone) throw error;
  } finally {
    response.off('close', leave);
  }
}
