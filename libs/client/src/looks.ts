import { isPassing } from './network-failure.js';
import { pause } from './pause.js';
import { Reconnection, type ReconnectionOptions } from './reconnection.js';

/** How something is looked at again and again. */
export interface LooksOptions extends ReconnectionOptions {
  /** Pause between two looks. Default 500. */
  readonly pollMs?: number;
}

/** What is seen at one look after the other, up to the one that is the last. A connection that breaks is made again. */
export async function* looks<View>(
  look: () => Promise<View>,
  isLast: (view: View) => boolean,
  { pollMs = 500, ...options }: LooksOptions,
): AsyncGenerator<View, void, undefined> {
  const { signal } = options;
  const reconnection = new Reconnection(options);
  for (;;) {
    signal?.throwIfAborted();
    try {
      const view = await look();
      reconnection.serves();
      yield view;
      if (isLast(view)) return;
      await pause(pollMs, signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
      await reconnection.pause(error);
    }
  }
}
