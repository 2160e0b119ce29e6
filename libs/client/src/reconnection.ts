import { pause } from './pause.js';

/** How a connection that broke is made again. */
export interface ReconnectionOptions {
  /** The first pause before the connection is made again; doubles up to 16 times of it. Default 250. */
  readonly reconnectMs?: number;
  /** Told when the connection broke, before the pause. */
  readonly onDisconnect?: (cause: unknown, pauseMs: number) => void;
  readonly signal?: AbortSignal;
}

/** The pauses after which a connection that broke is made again. */
export class Reconnection {
  readonly #options: ReconnectionOptions;
  #failures = 0;

  constructor(options: ReconnectionOptions) {
    this.#options = options;
  }

  /** It has brought something: the next pause is the first one again. */
  serves(): void {
    this.#failures = 0;
  }

  /** Resolves when it may be made again; rejects when the signal is aborted. */
  async pause(cause: unknown): Promise<void> {
    const { reconnectMs = 250, onDisconnect, signal } = this.#options;
    const pauseMs = reconnectMs * 2 ** Math.min(this.#failures, 4);
    this.#failures += 1;
    onDisconnect?.(cause, pauseMs);
    await pause(pauseMs, signal);
  }
}
