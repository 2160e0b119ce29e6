import { join, resolve } from 'node:path';
import {
  type ChildUserSetting,
  claimScratchFolder,
  Isolation,
  type Launch,
  removeTree,
} from '@longrun/platform/worker';
import { fromCheckout } from '../configuration.js';

/** What the rooms of programs are made with. */
export interface ProgramRoomsOptions {
  /** Absolute. */
  readonly stateFolder: string;
  /** Absolute. */
  readonly programsFolder: string;
  /** Whose processes theirs are. */
  readonly user: ChildUserSetting;
  /** Told what kind of separation was found, and what could not be removed, in a sentence. */
  readonly report: (sentence: string) => void;
}

/**
 * Where the processes of programs run, and as whom: like trainers, as a user of their own who owns nothing but a folder, where this
 * process is root. Found out when the first program is asked something.
 */
export class ProgramRooms {
  readonly #options: ProgramRoomsOptions;
  #open: Promise<Opened> | undefined;

  constructor(options: ProgramRoomsOptions) {
    this.#options = options;
  }

  /** Finds out who programs run as. @throws ConfigurationError where a user is named that cannot be had */
  async open(): Promise<void> {
    await this.#opened();
  }

  /** How the process of a program is started. */
  async launch(program: string): Promise<Launch> {
    const { isolation, folder } = await this.#opened();
    return await isolation.prepare({ folder: join(folder, program) });
  }

  /** Removes what programs have left. No process of theirs runs any more. */
  async close(): Promise<void> {
    const opened = await this.#open?.catch(() => undefined);
    const left = opened === undefined ? undefined : await removeTree(opened.folder);
    if (left !== undefined) this.#options.report(left);
  }

  #opened(): Promise<Opened> {
    this.#open ??= this.#make();
    return this.#open;
  }

  async #make(): Promise<Opened> {
    const { stateFolder, programsFolder, user, report } = this.#options;
    const isolation = await Isolation.find({ user, stateFolder, code: [resolve(fromCheckout('.')), programsFolder] });
    report(isolation.sentence);
    const folder = await claimScratchFolder(stateFolder, 'api', report);
    return { isolation, folder };
  }
}

interface Opened {
  readonly isolation: Isolation;
  /** Of this process alone; in it each program has one. */
  readonly folder: string;
}
