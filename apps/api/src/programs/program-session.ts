import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@longrun/contracts';
import { type ParamsVerdict, ProgramBroken } from '@longrun/platform';
import { cpuSecondsOfProcess, ObservedTime } from '@longrun/platform/processes';
import { type ChildExit, type Launch, SupervisedChild } from '@longrun/platform/worker';
import { z } from 'zod';
import type { ProgramLimits } from './program-limits.js';
import { type ProgramCommand, ProgramMessage, shortReason } from './program-messages.js';
import type { ProgramView } from './program-view.js';

/** Its process was ended, or could not be begun, by what is no doing of the program. */
export class CutShort extends ProgramBroken {}

export interface ProgramSessionOptions {
  /** Of the module. */
  readonly folder: string;
  readonly name: string;
  readonly limits: ProgramLimits;
  readonly launch: Launch | undefined;
}

/** What is waited for of a child. */
interface Question {
  /** Null for what was loaded. */
  readonly number: number | null;
  readonly resolve: (message: ProgramMessage) => void;
  readonly reject: (error: ProgramBroken) => void;
}

/** One life of a program's process, which is asked one question at a time. */
export class ProgramSession {
  /** What the program takes. @throws ProgramBroken */
  readonly loaded: Promise<ProgramView>;
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  readonly #child: SupervisedChild;
  readonly #limits: ProgramLimits;
  #question: Question | undefined;
  /** Why it was ended, where that is known. */
  #why: string | undefined;
  #number = 0;
  hasEnded = false;

  constructor({ folder, name, limits, launch }: ProgramSessionOptions) {
    this.#limits = limits;
    this.#child = new SupervisedChild({
      script: CHILD,
      ...(launch && { launch }),
      memoryLimitBytes: limits.memoryBytes,
      maxMessageBytes: limits.answerBytes,
      onMessage: (message) => this.#hear(message),
      // It may print whatever it likes.
      onLine: () => {},
    });
    this.gone = this.#child.exited.then((exit) => this.#ended(exit));
    const command: ProgramCommand = { type: 'load', folder, name, answerBytes: limits.answerBytes };
    this.loaded = this.#ask(null, command, limits.loadCpuMs, 'be imported').then((message) => {
      if (message.type !== 'loaded') throw new ProgramBroken('it answered something else than what it takes');
      return { name, description: message.description, params: message.params, broken: null };
    });
    // Whoever asks something waits for it; if nobody does, nobody is to be told.
    this.loaded.catch(() => {});
  }

  /** What the program says to parameters. @throws ProgramBroken */
  async check(params: JsonObject): Promise<ParamsVerdict> {
    await this.loaded;
    this.#number += 1;
    const { checkCpuMs } = this.#limits;
    const command: ProgramCommand = { type: 'check', number: this.#number, params };
    const message = await this.#ask(this.#number, command, checkCpuMs, 'check its parameters');
    if (message.type !== 'checked') throw new ProgramBroken('it answered something else than what it found');
    return message.reading;
  }

  async end(): Promise<void> {
    this.hasEnded = true;
    await this.#child.kill();
  }

  async #ask(number: number | null, command: ProgramCommand, cpuMs: number, what: string): Promise<ProgramMessage> {
    const answer = new Promise<ProgramMessage>((resolve, reject) => {
      this.#question = { number, resolve, reject };
    });
    const answered = new AbortController();
    void this.#watch({ cpuMs, what, signal: answered.signal });
    this.#child.send(command);
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
    if (this.#question?.number !== (data.type === 'loaded' ? null : data.number)) return;
    if (data.type === 'broken') this.#question.reject(new ProgramBroken(data.says));
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
    if (this.#why !== undefined) {
      this.#question?.reject(new ProgramBroken(this.#why));
      return;
    }
    const tail = stderrTail === '' ? '' : `: ${shortReason(stderrTail)}`;
    const how = `its process ended with ${signal ?? `exit code ${code}`}${tail}`;
    this.#question?.reject(code === null ? new CutShort(how) : new ProgramBroken(how));
  }
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
