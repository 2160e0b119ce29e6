import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { trainerEnvironment } from '@longrun/platform/processes';
import {
  type Beat,
  type Isolation,
  type Launch,
  removeTree,
  SupervisedChild,
  type SupervisedChildOptions,
} from '@longrun/platform/worker';

type Hearing = Pick<SupervisedChildOptions, 'onMessage' | 'onLine' | 'onBeat'>;

export interface TrainersOptions {
  /** The trainer's module, absolute. */
  readonly script: string;
  /** What keeps a trainer from all that is not its own. */
  readonly isolation: Pick<Isolation, 'prepare' | 'share' | 'user'>;
  /** Folder of this worker alone, absolute. Each trainer has a room in it. */
  readonly folder: string;
  /** Folder of the dataset files that trainers read, absolute. */
  readonly cacheFolder: string;
  /**
   * Folder of what trainers have compiled, absolute: for those that are the worker's own user. Others would be one user for all programs, of which
   * each could write what another one runs.
   */
  readonly compiledFolder: string;
  /** Memory that a trainer may take, in bytes; null for as much as it gets. */
  readonly memoryLimitBytes: number | null;
  /** Whether one is kept ready for the next attempt. */
  readonly keepsSpare: boolean;
  /** Told of rooms that could not be removed. */
  readonly report: (sentence: string) => void;
}

/**
 * Trainer processes, each in a room of its own. Starting one and getting it ready takes more than a second, so that a worker
 * which waits for work keeps one that is ready and waits for its assignment. Each is used for one attempt only, whether it was
 * kept or not. None waits beside that of an attempt: all are the same user, who may signal and trace what is its own.
 */
export class Trainers {
  readonly #options: TrainersOptions;
  #rooms = 0;
  /** Places that are not closed. */
  #open = 0;
  #spare: TrainerPlace | undefined;
  /** The spare that is being made. */
  #making: Promise<void> | undefined;

  constructor(options: TrainersOptions) {
    this.#options = options;
  }

  /** The number of the process that waits for an assignment; undefined when there is none. */
  get sparePid(): number | undefined {
    return this.#spare?.loaded().pid;
  }

  /** Starts one that waits for the next attempt, unless one does, an attempt is on or none is to be kept. One that cannot be started is none. */
  async keepSpare(): Promise<void> {
    if (!this.#options.keepsSpare) return;
    if (this.#making === undefined && this.#open > 0) return;
    this.#making ??= this.#makeSpare()
      .catch(() => {})
      .finally(() => (this.#making = undefined));
    await this.#making;
  }

  /**
   * A place for one attempt, with the trainer that waits or else a new one.
   *
   * @param memoryLimitBytes what the attempt may take at most; null for as much as any
   */
  async take(memoryLimitBytes: number | null): Promise<TrainerPlace> {
    const most = this.#options.memoryLimitBytes;
    const limit =
      most === null || memoryLimitBytes === null ? (most ?? memoryLimitBytes) : Math.min(most, memoryLimitBytes);
    await this.#making;
    const spare = this.#spare;
    this.#spare = undefined;
    // One that has ended may not have been forgotten yet.
    if (spare !== undefined && limit === most && !spare.loaded().hasEnded) return spare;
    // Its limits were set when it was started.
    await spare?.close();
    return await this.#place(limit);
  }

  /** Ends the one that waits. */
  async close(): Promise<void> {
    await this.#making;
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.close();
  }

  async #makeSpare(): Promise<void> {
    const spare = await this.#place(this.#options.memoryLimitBytes);
    spare.loaded();
    this.#spare = spare;
    // One that ended, whatever ended it, is of no use; the next attempt starts its own.
    void this.#forgetWhenEnded(spare);
  }

  async #forgetWhenEnded(spare: TrainerPlace): Promise<void> {
    await spare.loaded().exited;
    if (this.#spare !== spare) return;
    this.#spare = undefined;
    await spare.close();
  }

  async #place(memoryLimitBytes: number | null): Promise<TrainerPlace> {
    this.#open += 1;
    try {
      return await this.#makePlace(memoryLimitBytes);
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  async #makePlace(memoryLimitBytes: number | null): Promise<TrainerPlace> {
    const { script, isolation, folder, cacheFolder, compiledFolder, report } = this.#options;
    this.#rooms += 1;
    const room = join(folder, `trainer-${this.#rooms}`);
    const [workFolder, givenFolder] = [join(room, 'own'), join(room, 'given')];
    for (const needed of [workFolder, givenFolder, cacheFolder]) await mkdir(needed, { recursive: true });
    const launch = await isolation.prepare({ folder: workFolder, shared: [givenFolder, cacheFolder] });
    const ofWorkersUser = isolation.user === null ? { LONGRUN_COMPILE_CACHE: compiledFolder } : {};
    const env = { ...trainerEnvironment(), ...ofWorkersUser, ...launch.env };
    const start = { script, launch: { ...launch, env }, memoryLimitBytes };
    return new TrainerPlace({
      room,
      workFolder,
      givenFolder,
      isolation,
      start,
      report,
      onClosed: () => (this.#open -= 1),
    });
  }
}

interface TrainerPlaceOptions {
  readonly room: string;
  readonly workFolder: string;
  readonly givenFolder: string;
  readonly isolation: Pick<Isolation, 'share'>;
  readonly start: { readonly script: string; readonly launch: Launch; readonly memoryLimitBytes: number | null };
  readonly report: (sentence: string) => void;
  readonly onClosed: () => void;
}

/** Where one trainer works, and its process. */
export class TrainerPlace {
  /** The one folder that the trainer may write to, absolute. */
  readonly workFolder: string;
  /** What the worker gives to the trainer alone, absolute: the trainer reads it. */
  readonly givenFolder: string;
  readonly #options: TrainerPlaceOptions;
  readonly #hearing = new LateHearing();
  #child: SupervisedChild | undefined;

  constructor(options: TrainerPlaceOptions) {
    this.#options = options;
    this.workFolder = options.workFolder;
    this.givenFolder = options.givenFolder;
  }

  /** Lets the trainer read what was put into the folder of datasets, or into `givenFolder`. */
  async share(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.#options.isolation.share(path);
  }

  /** The trainer's process, which loads its code and waits for an assignment; started at the first call. */
  loaded(): SupervisedChild {
    this.#child ??= new SupervisedChild({
      ...this.#options.start,
      onMessage: (message) => this.#hearing.tell((to) => to.onMessage(message)),
      onLine: (stream, text) => this.#hearing.tell((to) => to.onLine(stream, text)),
      onBeat: (beat) => this.#hearing.beat(beat),
    });
    return this.#child;
  }

  /** The trainer's process, heard from now on, and what it has said already. To be called once. */
  start(hearing: Hearing): SupervisedChild {
    this.#hearing.become(hearing);
    return this.loaded();
  }

  /** Ends what runs here, and removes the folders, or says that it could not. To be called once. */
  async close(): Promise<void> {
    await this.#child?.kill();
    const left = await removeTree(this.#options.room);
    if (left !== undefined) this.#options.report(left);
    this.#options.onClosed();
  }
}

/** Keeps what was said before anybody listened. A trainer without an assignment says next to nothing. */
class LateHearing {
  #hearing: Hearing | undefined;
  #kept: ((to: Hearing) => void)[] = [];

  tell(say: (to: Hearing) => void): void {
    if (this.#hearing !== undefined) say(this.#hearing);
    else if (this.#kept.length < MOST_KEPT) this.#kept.push(say);
  }

  /** How far it was before is nobody's matter. */
  beat(beat: Beat): void {
    this.#hearing?.onBeat?.(beat);
  }

  become(hearing: Hearing): void {
    this.#hearing = hearing;
    for (const say of this.#kept.splice(0)) say(hearing);
  }
}

const MOST_KEPT = 100;
