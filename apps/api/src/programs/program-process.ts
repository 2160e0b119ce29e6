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
  /** Questions in the order in which they came: some that stand first are being asked. */
  readonly #questions: Question[] = [];
  #isAsking = false;
  #broken: { readonly why: ProgramBroken; readonly stamp: string; readonly since: number } | undefined;
  #isClosed = false;

  constructor(options: ProgramProcessOptions) {
    this.#options = options;
  }

  /** What it takes. @throws ProgramBroken */
  async view(): Promise<ProgramView> {
    return await new Promise((resolve, reject) => this.#ask({ params: undefined, resolve, reject }));
  }

  /** What it says to parameters. @throws ProgramBroken */
  async check(params: JsonObject): Promise<ParamsVerdict> {
    return await new Promise((resolve, reject) => this.#ask({ params, resolve, reject }));
  }

  /** Ends its process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    await this.#session?.end();
  }

  #ask(question: Question): void {
    const { name, limits } = this.#options;
    const waiting = this.#questions.length;
    if (waiting >= limits.questions) {
      const facts = { program: name, waiting };
      throw refusal('unavailable', [{ path: [], code: 'program-busy', facts }], { headers: { 'Retry-After': '5' } });
    }
    this.#questions.push(question);
    if (!this.#isAsking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#questions.length > 0) {
      try {
        await this.#askSome();
      } catch (error) {
        this.#questions.shift()?.reject(error);
      }
    }
    this.#isAsking = false;
  }

  /** Asks what stands first, and answers at least one. @throws what is the answer to the first */
  async #askSome(): Promise<void> {
    const { places, limits } = this.#options;
    const stamp = await this.#stamp();
    if (this.#broken?.stamp === stamp && performance.now() - this.#broken.since < limits.brokenMs)
      throw this.#broken.why;
    clearTimeout(this.#idle);
    const session = await this.#living();
    let view: ProgramView;
    try {
      view = await session.loaded;
    } catch (why) {
      // What befell it from outside says nothing of it.
      if (why instanceof ProgramBroken && !(why instanceof CutShort))
        this.#broken = { why, stamp, since: performance.now() };
      void session.end();
      throw why;
    }
    try {
      this.#tell(view);
      await this.#check(session);
    } finally {
      this.#idle = setTimeout(() => void session.end(), limits.idleMs).unref();
      if (!session.hasEnded) places.rest(session);
    }
  }

  /** Answers those who stand first and want to know what it takes. */
  #tell(view: ProgramView): void {
    for (let [first] = this.#questions; first !== undefined && first.params === undefined; [first] = this.#questions) {
      this.#questions.shift();
      first.resolve(view);
    }
  }

  /** Has the parameters that stand first checked, and answers those that were reached: nobody is told what another's have done to the process. */
  async #check(session: ProgramSession): Promise<void> {
    const all: JsonObject[] = [];
    for (const { params } of this.#questions) {
      if (params === undefined || all.length === AT_ONCE) break;
      all.push(params);
    }
    if (all.length === 0) return;
    await session.checkEach(all, (verdict) => {
      const question = this.#questions.shift();
      if (question?.params === undefined) return;
      if (verdict instanceof ProgramBroken) question.reject(verdict);
      else question.resolve(verdict);
    });
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

/** What somebody waits for: what it says to parameters or, without any, what it takes. */
type Question =
  | { readonly params: JsonObject; readonly resolve: (verdict: ParamsVerdict) => void; readonly reject: Reject }
  | { readonly params: undefined; readonly resolve: (view: ProgramView) => void; readonly reject: Reject };
type Reject = (error: unknown) => void;

/**
 * Parameters that a process is given to check at once, at most; then its place may go to another program. One by one they would be
 * answered one in each turn of the event loop, and no two submissions would share a transaction.
 */
const AT_ONCE = 32;
