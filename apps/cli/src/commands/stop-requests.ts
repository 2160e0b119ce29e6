/** What a person at the terminal wants ended. */
export interface StopRequests {
  /** Aborted by the first Ctrl+C, SIGTERM or SIGHUP: stop in good order. */
  readonly stop: AbortSignal;
  /** Aborted by the second one: kill. */
  readonly kill: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/** Listens for Ctrl+C, SIGTERM and SIGHUP in the place of what they do by themselves. */
export function listenForStop(): StopRequests {
  const stop = new AbortController();
  const kill = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) kill.abort();
    else stop.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
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
