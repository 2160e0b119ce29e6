import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultPoint, faultText, type ObjectStore, readFired, readHead } from '@longrun/serialization';
import { damaged, leftovers, readEnding } from './ending.js';
import { EPOCHS, EXAMPLES } from './examples.js';
import type { Quota } from './quota.js';
import { isPassedOnRetiring, type Moment, type Strike } from './strikes.js';
import { type Acknowledged, type Differences, differences, gonesBack } from './verdict.js';
import { type Word, WorkerProcess } from './worker-process.js';

/** Where runs are, and of what. */
export interface LifeOptions {
  readonly store: ObjectStore;
  /** Added to that of this process for all attempts: the keys to the store. */
  readonly environment: Readonly<Record<string, string>>;
  /** Built by `bench`: what an attempt runs, as `worker.js` beside this file. */
  readonly program: string;
  /** The examples, as `writeExamples` writes them. */
  readonly dataset: string;
  /** For local files, which are gone afterwards. */
  readonly folder: string;
  /** Names the run in the store; and its seed. */
  readonly number: number;
  readonly strikes: { next(): Strike; moment(): Moment };
  readonly quota: Quota;
}

/** A strike that has hit. */
export interface Hit {
  readonly what: Strike['what'];
  readonly point: FaultPoint | null;
  readonly place: Place;
  readonly fence: number;
}

/** Where a process was that was hit. */
export type Place = (typeof PLACES)[keyof typeof PLACES] | 'before its lease';

/** What was done in a run, and what came of it. */
export interface LifeFacts extends Differences {
  readonly number: number;
  readonly attempts: number;
  /** That were acknowledged. */
  readonly commits: number;
  readonly rows: number;
  readonly hits: readonly Hit[];
  /** Attempts that have gone on from before an acknowledged commit. */
  readonly goneBack: number;
  /** Attempts that have not noticed that another had taken their lease. */
  readonly zombies: number;
  readonly damaged: readonly string[];
  /** Whether the attempt that has ended the run has lived until nothing was to be done after its commit. */
  readonly isSettled: boolean;
  /** Keys of objects that nobody needs. */
  readonly leftovers: readonly string[];
}

/** A run: one undisturbed, and one again and again struck and gone on with, that must not differ. */
export class Life {
  readonly #options: LifeOptions;
  readonly #folder: string;
  readonly #prefix: string;
  readonly #workers: WorkerProcess[] = [];
  readonly #attempts: WorkerProcess[] = [];
  readonly #hits: Hit[] = [];
  #zombies = 0;
  /** Milliseconds, of the undisturbed run. */
  #tempo = { toFirstCommit: 0, betweenCommits: 0 };

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#folder = join(options.folder, `run-${options.number}`);
    this.#prefix = `runs/${options.number}`;
  }

  async live(): Promise<LifeFacts> {
    const { store, number } = this.#options;
    await mkdir(this.#folder, { recursive: true });
    try {
      const twin = `undisturbed/${number}`;
      await this.#undisturbed(twin);
      await this.#disturbed();
      const [ended, expected] = [
        await readEnding(store, this.#prefix, this.#folder),
        await readEnding(store, twin, this.#folder),
      ];
      return {
        number,
        attempts: this.#attempts.length,
        commits: this.#attempts.reduce((sum, attempt) => sum + attempt.of('committed').length, 0),
        rows: ended.rows.length,
        hits: this.#hits,
        ...differences(ended, expected, { examples: EXAMPLES, epochs: EPOCHS }),
        goneBack: gonesBack(this.#attempts.map(acknowledged)),
        zombies: this.#zombies,
        damaged: await damaged(store, this.#prefix),
        isSettled: this.#attempts.some((attempt) => attempt.lastWord === 'settled'),
        leftovers: await leftovers(store, this.#prefix),
      };
    } finally {
      for (const worker of this.#workers) if (!worker.hasEnded) worker.signal('SIGKILL');
      await Promise.allSettled(this.#workers.map(({ ended }) => ended));
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  async #undisturbed(prefix: string): Promise<void> {
    const worker = this.#start(prefix, 1);
    await worker.ended;
    if (worker.lastWord !== 'settled') throw new Error(`${prefix} has ended with the word ${worker.lastWord}`);
    const times = worker.of('committed').map(({ atMs }) => atMs);
    const [first = Number.NaN] = times;
    this.#tempo = {
      toFirstCommit: first - worker.startedAtMs,
      betweenCommits: ((times.at(-1) ?? Number.NaN) - first) / (times.length - 1),
    };
  }

  /** Attempt after attempt, until one finds that the run has ended. */
  async #disturbed(): Promise<void> {
    const { quota } = this.#options;
    let running: WorkerProcess | undefined;
    for (;;) {
      const strike = this.#strike(running === undefined);
      const attempt: WorkerProcess = running ?? this.#attempt(strike);
      running = undefined;
      if (strike?.what === 'stop') {
        // A kill it is not.
        quota.giveBack();
        if (await this.#reaches(attempt, strike)) running = await this.#overtake(attempt, strike);
      } else if (strike !== undefined && !(await this.#kills(attempt, strike))) {
        quota.giveBack();
      }
      if (running !== undefined) continue;
      await attempt.ended;
      if (attempt.lastWord === 'settled' || attempt.lastWord === 'ended') return;
      // From one that nobody has overtaken.
      if (attempt.lastWord === 'lost') this.#zombies += 1;
    }
  }

  /** What is done next: to one that runs already only what needs no preparation. Undefined where nothing is to be done any more. */
  #strike(isStart: boolean): Strike | undefined {
    const { strikes, quota } = this.#options;
    if (!quota.take()) return undefined;
    return isStart ? strikes.next() : { what: 'kill', moment: strikes.moment() };
  }

  /** True when it has killed it: not so where the attempt had come to its end before. */
  async #kills(attempt: WorkerProcess, strike: Strike): Promise<boolean> {
    if (await this.#reaches(attempt, strike)) attempt.signal('SIGKILL');
    const { signal } = await attempt.ended;
    const hasHit = signal === 'SIGKILL' && (strike.point === undefined || this.#hasFired(attempt));
    if (hasHit) this.#hits.push(this.#hitOf(attempt, strike));
    return hasHit;
  }

  /** Stops an attempt, and has it go on when another has taken its lease, which is answered; undefined where the run was at its end. */
  async #overtake(attempt: WorkerProcess, strike: Strike): Promise<WorkerProcess | undefined> {
    if (strike.point === undefined) attempt.signal('SIGSTOP');
    const successor = this.#attempt();
    const isOvertaken = await successor.says('leased');
    const hit = this.#hitOf(attempt, strike);
    const wasThere = !attempt.hasEnded;
    if (isOvertaken) await successor.says('committed', strike.moment.commits);
    attempt.signal('SIGCONT');
    await attempt.ended;
    if (!isOvertaken) return undefined;
    if (wasThere) this.#hits.push(hit);
    const head = await readHead(this.#options.store, this.#prefix);
    // Its rows may have been kept before it was stopped, and its successor may have ended the run before it asks for its own lease.
    const hasNoticed = ['lost', 'retiring', 'ended'].includes(attempt.lastWord ?? '');
    if (!hasNoticed || head === undefined || head.fence <= this.#fenceOf(attempt)) this.#zombies += 1;
    return successor;
  }

  /** Waits for the moment of a strike, or the point: false where the attempt ends before. */
  async #reaches(attempt: WorkerProcess, { what, moment, point }: Strike): Promise<boolean> {
    if (point === undefined) return await this.#comes(moment, attempt);
    if (isPassedOnRetiring(point.name)) {
      await this.#comes(moment, attempt);
      attempt.signal('SIGTERM');
    }
    if (what === 'stop') await Promise.race([attempt.fired, attempt.ended]);
    // Who kills itself needs nobody to do it.
    return what === 'stop' && !attempt.hasEnded;
  }

  async #comes({ commits, part }: Moment, attempt: WorkerProcess): Promise<boolean> {
    const after = attempt.of('committed').length + commits;
    if (!(await attempt.says('committed', after))) return false;
    await sleep(part * (after === 0 ? this.#tempo.toFirstCommit : this.#tempo.betweenCommits));
    return !attempt.hasEnded;
  }

  #attempt(strike?: Strike): WorkerProcess {
    const worker = this.#start(this.#prefix, this.#attempts.length + 1, strike);
    this.#attempts.push(worker);
    return worker;
  }

  #fenceOf(attempt: WorkerProcess): number {
    return 1 + this.#attempts.indexOf(attempt);
  }

  #hasFired(attempt: WorkerProcess): boolean {
    return readFired(this.#recordOf(this.#prefix, this.#fenceOf(attempt))).length === 1;
  }

  #hitOf(attempt: WorkerProcess, { what, point }: Strike): Hit {
    return { what, point: point?.name ?? null, place: placeOf(attempt), fence: this.#fenceOf(attempt) };
  }

  #start(prefix: string, fence: number, strike?: Strike): WorkerProcess {
    const { store, environment, program, dataset, number } = this.#options;
    const folder = join(this.#folder, `${prefix.replaceAll('/', '-')}-${fence}`);
    const args = [store.url, prefix, `${fence}`, dataset, `${number}`, folder];
    const worker = new WorkerProcess(program, args, {
      ...environment,
      LONGRUN_FAULT_POINTS: faultsOf(strike),
      LONGRUN_FAULT_RECORD: this.#recordOf(prefix, fence),
    });
    this.#workers.push(worker);
    return worker;
  }

  #recordOf(prefix: string, fence: number): string {
    return join(this.#folder, `fired-${prefix.replaceAll('/', '-')}-${fence}.ndjson`);
  }
}

function faultsOf(strike: Strike | undefined): string {
  if (strike?.point === undefined) return '';
  const { name, passage } = strike.point;
  return faultText({ point: name, action: { type: strike.what }, fromPassage: passage, toPassage: passage });
}

function acknowledged(attempt: WorkerProcess, index: number): Acknowledged {
  const restored = attempt.of('restored')[0]?.step;
  return { fence: 1 + index, restored, committed: attempt.of('committed').at(-1)?.step ?? 0 };
}

const PLACES = {
  leased: 'before its first commit',
  restored: 'before its first commit',
  committing: 'during a commit',
  committed: 'between commits',
  retiring: 'while its rows were kept',
  settled: 'after the last commit',
  ended: 'after the last commit',
  lost: 'after its lease was lost',
} as const satisfies Readonly<Record<Word, string>>;

function placeOf({ lastWord }: WorkerProcess): Place {
  return lastWord === undefined ? 'before its lease' : PLACES[lastWord];
}
