import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildSign, type Whereabouts, WHEREABOUTS_QUESTION } from '@longrun/contracts';
import { parseJson } from '../redis/parse-json.js';
import { LineSplitter } from './line-splitter.js';

/** How far a child is, as its watchdog says. */
export type Beat = Extract<ChildSign, { type: 'beat' }>;

/** The worker's end of the line to the watchdog of a child, which answers whatever the child does. */
export class ChildSigns {
  readonly #line: Duplex;
  #answer: (whereabouts: Whereabouts) => void = () => {};

  /** @param onBeat called with each beat */
  constructor(line: Duplex, onBeat: (beat: Beat) => void) {
    this.#line = line;
    line.on('error', () => {});
    line.pipe(
      new LineSplitter((text) => {
        const sign = ChildSign.safeParse(parseJson(text));
        if (!sign.success) return;
        if (sign.data.type === 'beat') onBeat(sign.data);
        else this.#answer(sign.data);
      }),
    );
  }

  /** Asks where the child stands; undefined when its watchdog does not answer in time, or has gone. */
  async whereabouts(withinMs: number): Promise<Whereabouts | undefined> {
    const answered = new Promise<Whereabouts>((resolve) => (this.#answer = resolve));
    if (!this.#line.destroyed && this.#line.writable) this.#line.write(`${WHEREABOUTS_QUESTION}\n`);
    const over = new AbortController();
    const late = sleep(withinMs, undefined, { signal: over.signal }).catch(() => undefined);
    const first = await Promise.race([answered, late]);
    over.abort();
    return first;
  }
}
