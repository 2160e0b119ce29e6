import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@longrun/contracts';
import { type ParamsVerdict, ProgramBroken } from '@longrun/platform';
import { type ChildExit, type Launch, SupervisedChild } from '@longrun/platform/worker';
import { z } from 'zod';
import { type ProgramCommand, ProgramMessage } from './program-messages.js';
import type { ProgramView } from './program-view.js';

/** What a program may take of the API's machine while it is asked something. */
export interface ProgramLimits {
  /** Time to be imported, in milliseconds. */
  readonly loadMs: number;
  /** Time to check parameters, in milliseconds. */
  readonly checkMs: number;
  /** Memory of its process and all that it starts, in bytes. */
  readonly memoryBytes: number;
  /** Time after which a process that is asked nothing is ended, in milliseconds. */
  readonly idleMs: number;
}

export const PROGRAM_LIMITS: ProgramLimits = {
  loadMs: 60_000,
  checkMs: 10_000,
  memoryBytes: 2 ** 30,
  idleMs: 60_000,
};

/** How the processes of programs are run. */
export interface ProgramProcessOptions {
  /** Default: {@link PROGRAM_LIMITS}. */
  readonly limits?: ProgramLimits;
  /** How that of a program is started. Default: as this process' own user. */
  readonly launch?: (program: string) => Promise<Launch>;
}

/**
 * One program, in a process of its own while it is asked something: what it throws, prints, takes or how long it hangs is a
 * {@link ProgramBroken} for those who ask, and nothing else.
 */
export class ProgramProcess {
  readonly #folder: string;
  readonly #name: string;
  readonly #limits: ProgramLimits;
  readonly #launch: ProgramProcessOptions['launch'];
  #session: Session | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Questions are asked one by one: nobody is told what another's parameters have done to the process, or kept it busy with. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string, name: string, { limits = PROGRAM_LIMITS, launch }: ProgramProcessOptions = {}) {
    this.#folder = folder;
    this.#name = name;
    this.#limits = limits;
    this.#launch = launch;
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
    clearTimeout(this.#idle);
    await this.#session?.end();
  }

  async #ask<T>(question: (session: Session) => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => await this.#askNow(question));
    this.#turn = answer.catch(() => {});
    return await answer;
  }

  async #askNow<T>(question: (session: Session) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    const session = await this.#living();
    try {
      return await question(session);
    } finally {
      this.#idle = setTimeout(() => void session.end(), this.#limits.idleMs).unref();
    }
  }

  async #living(): Promise<Session> {
    if (this.#session?.hasEnded === false) return this.#session;
    const launch = await this.#launch?.(this.#name);
    this.#session = new Session(this.#folder, this.#name, { limits: this.#limits, launch });
    return this.#session;
  }
}

/** What is waited for of a child. */
interface Question {
  /** Null for what was loaded. */
  readonly number: number | null;
  readonly resolve: (message: ProgramMessage) => void;
  readonly reject: (error: ProgramBroken) => void;
}

/** One life of a program's process. */
class Session {
  readonly loaded: Promise<ProgramView>;
  readonly #child: SupervisedChild;
  readonly #limits: ProgramLimits;
  #question: Question | undefined;
  /** Why it was ended, where that is known. */
  #why: string | undefined;
  #number = 0;
  hasEnded = false;

  constructor(
    folder: string,
    name: string,
    { limits, launch }: { readonly limits: ProgramLimits; readonly launch: Launch | undefined },
  ) {
    this.#limits = limits;
    this.#child = new SupervisedChild({
      script: CHILD,
      ...(launch && { launch }),
      memoryLimitBytes: limits.memoryBytes,
      onMessage: (message) => this.#hear(message),
      // It may print whatever it likes.
      onLine: () => {},
    });
    void this.#child.exited.then((exit) => this.#ended(exit));
    this.loaded = this.#ask(null, { type: 'load', folder, name }, limits.loadMs, 'be imported').then((message) => {
      if (message.type !== 'loaded') throw new ProgramBroken('it answered something else than what it takes');
      return { name, description: message.description, params: message.params, broken: null };
    });
    // Whoever asks something waits for it; if nobody does, nobody is to be told.
    this.loaded.catch(() => {});
  }

  async check(params: JsonObject): Promise<ParamsVerdict> {
    await this.loaded;
    this.#number += 1;
    const { checkMs } = this.#limits;
    const command: ProgramCommand = { type: 'check', number: this.#number, params };
    const message = await this.#ask(this.#number, command, checkMs, 'check its parameters');
    if (message.type !== 'checked') throw new ProgramBroken('it answered something else than what it found');
    return message.reading;
  }

  async end(): Promise<void> {
    this.hasEnded = true;
    await this.#child.kill();
  }

  async #ask(number: number | null, command: ProgramCommand, withinMs: number, what: string): Promise<ProgramMessage> {
    const answer = new Promise<ProgramMessage>((resolve, reject) => {
      this.#question = { number, resolve, reject };
    });
    const late = setTimeout(() => this.#endFor(`it took longer than ${withinMs} ms to ${what}`), withinMs);
    this.#child.send(command);
    try {
      return await answer;
    } finally {
      clearTimeout(late);
      this.#question = undefined;
    }
  }

  #hear(json: unknown): void {
    if (this.hasEnded) return;
    const { success, data, error } = ProgramMessage.safeParse(json);
    if (!success) {
      this.#endFor(`it says what cannot be understood: ${z.prettifyError(error).slice(0, 1_000)}`);
      return;
    }
    if (this.#question?.number !== (data.type === 'loaded' ? null : data.number)) return;
    if (data.type === 'broken') this.#question.reject(new ProgramBroken(cut(data.says)));
    else this.#question.resolve(data);
  }

  #endFor(why: string): void {
    this.#why ??= why;
    void this.end();
  }

  #ended({ code, signal, heapExhausted, memory, stderrTail }: ChildExit): void {
    this.hasEnded = true;
    if (heapExhausted || memory !== null)
      this.#why ??= `it took more than ${Math.round(this.#limits.memoryBytes / 2 ** 20)} MiB of memory`;
    const how = `with ${signal ?? `exit code ${code}`}`;
    const tail = stderrTail === '' ? '' : `: ${cut(stderrTail)}`;
    this.#question?.reject(new ProgramBroken(this.#why ?? `its process ended ${how}${tail}`));
  }
}

/** Also for tests, which run this module from its source. */
const CHILD = fileURLToPath(new URL('../../dist/programs/program-child.js', import.meta.url));

function cut(text: string): string {
  return text.length > 2_000 ? `${text.slice(0, 2_000)} […]` : text;
}
