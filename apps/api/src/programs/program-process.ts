import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JsonObject } from '@longrun/contracts';
import { type ParamsVerdict, ProgramBroken } from '@longrun/platform';
import type { Launch } from '@longrun/platform/worker';
import { refusal } from '../problems/refusal.js';
import type { ProcessPlaces } from './process-places.js';
import type { ProgramLimits } from './program-limits.js';
import { CutShort, ProgramSession } from './program-session.js';
import type { ProgramView } from './program-view.js';

/** How the process of a program is run. */
export interface ProgramProcessOptions {
  readonly name: string;
  /** Its module. */
  readonly file: string;
  readonly limits: ProgramLimits;
  /** Those of all programs. */
  readonly places: ProcessPlaces;
  /** How that of a program is started. Default: as this process' own user. */
  readonly launch?: ((program: string) => Promise<Launch>) | undefined;
}

/**
 * One program, in a process of its own while it is asked something: what it throws, prints, takes or how long it hangs is a
 * {@link ProgramBroken} for those who ask, and nothing else. Who asks while too many wait for their turn is refused with 503.
 */
export class ProgramProcess {
  readonly #options: ProgramProcessOptions;
  #session: ProgramSession | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Questions are asked one by one: nobody is told what another's parameters have done to the process, or kept it busy with. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #broken: { readonly why: ProgramBroken; readonly stamp: string; readonly since: number } | undefined;
  #isClosed = false;

  constructor(options: ProgramProcessOptions) {
    this.#options = options;
  }

  /** What it takes. @throws ProgramBroken */
  async view(): Promise<ProgramView> {
    return await this.#ask(async (session) => await session.loaded);
  }

  /** What it says to parameters. @throws ProgramBroken */
  async check(params: JsonObject): Promise<ParamsVerdict> {
    return await this.#ask(async (session) => await session.check(params));
  }

  /** Ends its process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    await this.#session?.end();
  }

  async #ask<T>(question: (session: ProgramSession) => Promise<T>): Promise<T> {
    const { name, limits } = this.#options;
    if (this.#waiting >= limits.questions) {
      const facts = { program: name, waiting: this.#waiting };
      throw refusal('unavailable', [{ path: [], code: 'program-busy', facts }], { headers: { 'Retry-After': '5' } });
    }
    this.#waiting += 1;
    const answer = this.#turn.then(async () => await this.#askNow(question)).finally(() => (this.#waiting -= 1));
    this.#turn = answer.catch(() => {});
    return await answer;
  }

  async #askNow<T>(question: (session: ProgramSession) => Promise<T>): Promise<T> {
    const { places, limits } = this.#options;
    const stamp = await this.#stamp();
    if (this.#broken?.stamp === stamp && performance.now() - this.#broken.since < limits.brokenMs)
      throw this.#broken.why;
    clearTimeout(this.#idle);
    const session = await this.#living();
    try {
      await session.loaded;
    } catch (why) {
      // What befell it from outside says nothing of it.
      if (why instanceof ProgramBroken && !(why instanceof CutShort))
        this.#broken = { why, stamp, since: performance.now() };
      void session.end();
      throw why;
    }
    try {
      return await question(session);
    } finally {
      this.#idle = setTimeout(() => void session.end(), limits.idleMs).unref();
      if (!session.hasEnded) places.rest(session);
    }
  }

  async #living(): Promise<ProgramSession> {
    const { name, file, limits, places, launch } = this.#options;
    if (this.#session?.hasEnded === false) {
      places.work(this.#session);
      return this.#session;
    }
    await places.take();
    try {
      const how = await launch?.(name);
      if (this.#isClosed) throw new CutShort('the API is being stopped');
      this.#session = new ProgramSession({ folder: dirname(file), name, limits, launch: how });
    } catch (error) {
      places.leave();
      throw error;
    }
    const session = this.#session;
    void session.gone.then(() => places.leave(session));
    return session;
  }

  /** Another one when the module was changed. */
  async #stamp(): Promise<string> {
    const { mtimeMs, size, ino } = await stat(this.#options.file).catch(() => ({ mtimeMs: 0, size: 0, ino: 0 }));
    return `${mtimeMs} ${size} ${ino}`;
  }
}
