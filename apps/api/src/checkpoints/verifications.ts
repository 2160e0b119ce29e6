import { EVENT_HEARTBEAT_HEADER } from '@longrun/contracts';
import type { ServerResponse } from 'node:http';
import { refusal } from '../problems/refusal.js';

/** How many may be under way at once: each reads as fast as the object store gives. */
const MOST_AT_ONCE = 2;

/** The verifications, and comparisons of experiments, that are under way. */
export class Verifications {
  readonly #heartbeatMs: number;
  #running = 0;

  /** @param heartbeatMs silence after which the client is sent a blank, so that it knows that there is work going on */
  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs;
  }

  /**
   * Answers with what `look` finds, as JSON, however long that takes: blanks come before it, which JSON allows. They begin when it calls `onFound`: what is
   * refused before that has a status, however long it took to find out; later the answer is cut.
   *
   * @throws Refusal where too many are under way; what `look` throws
   */
  async send(response: ServerResponse, look: (onFound: () => void) => Promise<unknown>): Promise<void> {
    if (this.#running >= MOST_AT_ONCE) {
      const facts = { running: this.#running };
      throw refusal('unavailable', [{ path: [], code: 'verification-busy', facts }], {
        headers: { 'Retry-After': '10' },
      });
    }
    this.#running += 1;
    response.setHeader(EVENT_HEARTBEAT_HEADER, String(this.#heartbeatMs));
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    let heartbeat: NodeJS.Timeout | undefined;
    try {
      const found = await look(() => {
        heartbeat ??= setInterval(() => {
          if (!response.writableNeedDrain) response.write('\n');
        }, this.#heartbeatMs);
      });
      clearInterval(heartbeat);
      response.end(JSON.stringify(found));
    } finally {
      clearInterval(heartbeat);
      this.#running -= 1;
    }
  }
}
