/** What a person at the terminal wants ended. */
export interface StopRequests {
  /** Aborted by the first Ctrl+C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Takes the handlers away again. */
  release(): void;
}

/** Listens for Ctrl+C, SIGTERM and SIGHUP: the first aborts the signal, a second one calls `onInsist`. */
export function listenForStop(onInsist: () => void): StopRequests {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) onInsist();
    else controller.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
