import { constants } from 'node:os';

import type { Terminal } from '../output/terminal.js';

/** What a person at the terminal wants ended. */
export interface StopRequests {
  /** Aborted by the first Ctrl+C, SIGTERM or SIGHUP: stop in good order. */
  readonly stop: AbortSignal;
  /** Aborted by the second one: kill. SIGHUP is none, because a terminal that goes may say so more than once. */
  readonly kill: AbortSignal;
  /** The newest signal that asked for it. */
  bySignal(): NodeJS.Signals;
  /** What a command that was stopped by it ends with: 130 after Ctrl+C, as shells have it. */
  exitCode(): number;
  /** Stops listening. */
  release(): void;
}

/**
 * Listens for Ctrl+C, SIGTERM and SIGHUP in the place of what they do by themselves. `terminal`: given by a command that must not end
 * without what it has started; its loss counts as SIGHUP.
 */
export function listenForStop(terminal?: Terminal): StopRequests {
  const stop = new AbortController();
  const kill = new AbortController();
  let newest: NodeJS.Signals = 'SIGINT';
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted && signal === 'SIGHUP') return;
    newest = signal;
    if (stop.signal.aborted) kill.abort();
    else stop.abort();
  };
  terminal?.onReaderLost(() => onSignal('SIGHUP'));
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    bySignal: () => newest,
    exitCode: () => 128 + constants.signals[newest],
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
