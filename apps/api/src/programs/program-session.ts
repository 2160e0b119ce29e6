import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@longrun/contracts';
import { type ParamsVerdict, ProgramBroken, type ProgramFacts } from '@longrun/platform';
import { cpuSecondsOfProcess, ObservedTime } from '@longrun/platform/processes';
import { type ChildExit, type Launch, SupervisedChild } from '@longrun/platform/worker';
import { z } from 'zod';
import type { ProgramLimits } from './program-limits.js';
import { type ProgramCommand, ProgramMessage, shortReason } from './program-messages.js';

/** Its process was ended, or could not be begun, by what is no doing of the program. */
export class CutShort extends ProgramBroken {}

export interface ProgramSessionOptions {
  /** The module. */
  readonly file: string;
  readonly limits: ProgramLimits;
  readonly launch: Launch;
}

/** What is waited for of a child. */
interface Question {
  /** Null for what was loaded. */
  readonly number: number | null;
  readonly resolve: (message: ProgramMessage) => void;
  readonly reject: (error: ProgramBroken) => void;
}

/** One life of a program's process. */
export class ProgramSession {
  /** What the program says of itself. @throws ProgramBroken */
  readonly loaded: Promise<ProgramFacts>;
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  readonly #child: SupervisedChild;
  readonly #limits: ProgramLimits;
  #question: Question | undefined;
  /** Why it was ended, where that is known. */
  #why: string | undefined;
  /** What it ended with. */
  #end: ProgramBroken | undefined;
  /** Of the last parameters that it was asked about. */
  #lastNumber = 0;
  /** Of the last ones whose answer was told. */
  #toldNumber = 0;
  /** Answers that came before anybody waited for them. */
  readonly #early = new Map<number, ProgramMessage>();
  hasEnded = false;

  constructor({ file, limits, launch }: ProgramSessionOptions) {
    this.#limits = limits;
    this.#child = new SupervisedChild({
      script: CHILD,
      launch,
      memoryLimitBytes: limits.memoryBytes,
      maxMessageBytes: limits.answerBytes,
      onMessage: (message) => this.#hear(message),
      // It may print whatever it likes.
      onLine: () => {},
    });
    this.gone = this.#child.exited.then((exit) => this.#ended(exit));
    const command: ProgramCommand = { type: 'load', file, answerBytes: limits.answerBytes };
    this.#child.send(command);
    this.loaded = this.#answer(null, limits.loadCpuMs, 'be imported').then((message) => {
      if (message.type !== 'loaded') throw new ProgramBroken('it answered something else than what it takes');
      return { description: message.description, params: message.params };
    });
    // Whoever asks something waits for it; if nobody does, nobody is to be told.
    this.loaded.catch(() => {});
  }

  /**
   * What the program says to parameters, each told as soon as it is said: a verdict, or why there is none. Where the process ends over
   * some, those behind them were not reached, and nothing is told of them.
   *
   * @throws ProgramBroken where it cannot be loaded
   */
  async checkEach(all: readonly JsonObject[], told: (verdict: ParamsVerdict | ProgramBroken) => void): Promise<void> {
    await this.loaded;
    const first = this.#lastNumber + 1;
    this.#lastNumber += all.length;
    this.#child.send({ type: 'check', number: first, params: [...all] } satisfies ProgramCommand);
    for (let number = first; number <= this.#lastNumber && (number === first || !this.hasEnded); number += 1) {
      told(await this.#verdictOn(number));
      this.#early.delete(number);
      this.#toldNumber = number;
    }
    this.#early.clear();
    this.#toldNumber = this.#lastNumber;
  }

  async end(): Promise<void> {
    this.hasEnded = true;
    await this.#child.kill();
  }

  async #verdictOn(number: number): Promise<ParamsVerdict | ProgramBroken> {
    try {
      const message = await this.#answer(number, this.#limits.checkCpuMs, 'check its parameters');
      if (message.type !== 'checked') return new ProgramBroken('it answered something else than what it found');
      return message.reading;
    } catch (error) {
      if (error instanceof ProgramBroken) return error;
      throw error;
    }
  }

  async #answer(number: number | null, cpuMs: number, what: string): Promise<ProgramMessage> {
    const early = number === null ? undefined : this.#early.get(number);
    if (early?.type === 'broken') throw new ProgramBroken(early.says);
    if (early !== undefined) return early;
    if (this.#end !== undefined) throw this.#end;
    const answer = new Promise<ProgramMessage>((resolve, reject) => {
      this.#question = { number, resolve, reject };
    });
    const answered = new AbortController();
    void this.#watch({ cpuMs, what, signal: answered.signal });
    try {
      return await answer;
    } finally {
      answered.abort();
      this.#question = undefined;
    }
  }

  /** Ends the process when it has worked, or waited, for longer than a question is worth. */
  async #watch({ cpuMs, what, signal }: Watch): Promise<void> {
    const { waitMs } = this.#limits;
    const observed = new ObservedTime({ mostPerLookMs: LONGEST_LOOK_MS });
    let usedBefore: number | undefined;
    observed.looked();
    for (;;) {
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      observed.looked();
      // One that cannot be looked at can be waited for.
      const used = await cpuSecondsOfProcess(this.#child.pid ?? -1).catch(() => undefined);
      usedBefore ??= used;
      const workedMs = ((used ?? 0) - (usedBefore ?? 0)) * 1_000;
      if (workedMs > cpuMs) this.#endFor(`it took more than ${cpuMs} ms of processor time to ${what}`);
      // On a busy machine what works gets little of the time.
      else if (observed.ms - LEAST_SHARE * workedMs > waitMs) this.#endFor(`it has waited for ${waitMs} ms to ${what}`);
    }
  }

  #hear(json: unknown): void {
    if (this.hasEnded) return;
    const { success, data, error } = ProgramMessage.safeParse(json);
    if (!success) {
      this.#endFor(`it says what cannot be understood: ${shortReason(z.prettifyError(error))}`);
      return;
    }
    const number = data.type === 'loaded' ? null : data.number;
    if (this.#question === undefined || this.#question.number !== number) {
      // Of the next parameters, before anybody waits for it.
      if (number !== null && number > this.#toldNumber && number <= this.#lastNumber) this.#early.set(number, data);
    } else if (data.type === 'broken') this.#question.reject(new ProgramBroken(data.says));
    else this.#question.resolve(data);
  }

  #endFor(why: string): void {
    this.#why ??= why;
    void this.end();
  }

  #ended({ code, signal, heapExhausted, memory, garbled, stderrTail }: ChildExit): void {
    this.hasEnded = true;
    if (heapExhausted || memory !== null)
      this.#why ??= `it took more than ${Math.round(this.#limits.memoryBytes / 2 ** 20)} MiB of memory`;
    if (garbled !== null) this.#why ??= `it says what cannot be understood: ${shortReason(garbled)}`;
    if (this.#why === undefined) this.#end = endOf(code, signal, stderrTail);
    else this.#end = new ProgramBroken(this.#why);
    this.#question?.reject(this.#end);
  }
}

function endOf(code: number | null, signal: string | null, stderrTail: string): ProgramBroken {
  const tail = stderrTail === '' ? '' : `: ${shortReason(stderrTail)}`;
  const how = `its process ended with ${signal ?? `exit code ${code}`}${tail}`;
  return code === null ? new CutShort(how) : new ProgramBroken(how);
}

interface Watch {
  readonly cpuMs: number;
  readonly what: string;
  /** Aborted when the question is answered. */
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 250;

/** For so many milliseconds of the clock one of the processor's is enough to have worked all the time. */
const LEAST_SHARE = 60;

/** More than this between two looks was time in which this process stood still itself. */
const LONGEST_LOOK_MS = 1_000;

/** Also for tests, which run this module from its source. */
const CHILD = fileURLToPath(new URL('../../dist/programs/program-child.js', import.meta.url));
