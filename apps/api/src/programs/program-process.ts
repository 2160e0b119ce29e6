import type { JsonObject } from '@longrun/contracts';
import { type ParamsVerdict, ProgramBroken, type ProgramFacts, type ProgramModule } from '@longrun/platform';
import { refusal } from '../problems/refusal.js';
import type { ProcessPlaces } from './process-places.js';
import type { ProgramLimits } from './program-limits.js';
import type { ProgramRooms } from './program-rooms.js';
import { CutShort, ProgramSession } from './program-session.js';

/** How the process of a program is run. */
export interface ProgramProcessOptions {
  readonly limits: ProgramLimits;
  /** Those of all programs. */
  readonly places: ProcessPlaces;
  /** Where they run. */
  readonly rooms: Pick<ProgramRooms, 'open'>;
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
  #broken: { readonly why: ProgramBroken; readonly since: number } | undefined;
  #isClosed = false;

  constructor(options: ProgramProcessOptions) {
    this.#options = options;
  }

  /** It is asked nothing, and has no process. */
  get isAtRest(): boolean {
    return this.#questions.length === 0 && this.#session?.hasEnded !== false;
  }

  /** What it says of itself. @throws ProgramBroken */
  async inspect(module: ProgramModule): Promise<ProgramFacts> {
    return await new Promise((resolve, reject) => this.#ask({ module, params: undefined, resolve, reject }));
  }

  /** What it says to parameters. @throws ProgramBroken */
  async check(module: ProgramModule, params: JsonObject): Promise<ParamsVerdict> {
    return await new Promise((resolve, reject) => this.#ask({ module, params, resolve, reject }));
  }

  /** Ends its process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    await this.#session?.end();
  }

  #ask(question: Question): void {
    const waiting = this.#questions.length;
    if (waiting >= this.#options.limits.questions) {
      const facts = { program: question.module.name, waiting };
      throw refusal('unavailable', [{ path: [], code: 'program-busy', facts }], { headers: { 'Retry-After': '5' } });
    }
    this.#questions.push(question);
    if (!this.#isAsking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    for (let [first] = this.#questions; first !== undefined; [first] = this.#questions) {
      try {
        await this.#askSome(first.module);
      } catch (error) {
        this.#questions.shift()?.reject(error);
      }
    }
    this.#isAsking = false;
  }

  /** Asks what stands first, and answers at least one. @throws what is the answer to the first */
  async #askSome(module: ProgramModule): Promise<void> {
    const { places, limits } = this.#options;
    if (this.#broken !== undefined && performance.now() - this.#broken.since < limits.brokenMs) throw this.#broken.why;
    clearTimeout(this.#idle);
    const session = await this.#living(module);
    let facts: ProgramFacts;
    try {
      facts = await session.loaded;
    } catch (why) {
      // What befell it from outside says nothing of it.
      if (why instanceof ProgramBroken && !(why instanceof CutShort)) this.#broken = { why, since: performance.now() };
      void session.end();
      throw why;
    }
    try {
      this.#tell(facts);
      await this.#check(session);
    } finally {
      this.#idle = setTimeout(() => void session.end(), limits.idleMs).unref();
      if (!session.hasEnded) places.rest(session);
    }
  }

  /** Answers those who stand first and want to know what it says of itself. */
  #tell(facts: ProgramFacts): void {
    for (let [first] = this.#questions; first !== undefined && first.params === undefined; [first] = this.#questions) {
      this.#questions.shift();
      first.resolve(facts);
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

  async #living(module: ProgramModule): Promise<ProgramSession> {
    const { limits, places, rooms } = this.#options;
    if (this.#session?.hasEnded === false) {
      places.work(this.#session);
      return this.#session;
    }
    await places.take();
    try {
      const room = await rooms.open(await module.read());
      if (this.#isClosed) {
        await room.close();
        throw new CutShort('the API is being stopped');
      }
      const session = new ProgramSession({ ...room, limits });
      void session.gone.then(async () => await room.close()).then(() => places.leave(session));
      this.#session = session;
      return session;
    } catch (error) {
      places.leave();
      throw error;
    }
  }
}

/** What somebody waits for: what it says to parameters or, without any, of itself. */
type Question = { readonly module: ProgramModule; readonly reject: (error: unknown) => void } & (
  | { readonly params: JsonObject; readonly resolve: (verdict: ParamsVerdict) => void }
  | { readonly params: undefined; readonly resolve: (facts: ProgramFacts) => void }
);

/**
 * Parameters that a process is given to check at once, at most; then its place may go to another program. One by one they would be
 * answered one in each turn of the event loop, and no two submissions would share a transaction.
 */
const AT_ONCE = 32;
