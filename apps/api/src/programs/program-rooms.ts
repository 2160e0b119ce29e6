import { join } from 'node:path';
import { layOutProgram } from '@longrun/platform/programs';
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
  #rooms = 0;

  constructor(options: ProgramRoomsOptions) {
    this.#options = options;
  }

  /** Finds out who programs run as. @throws ConfigurationError where a user is named that cannot be had */
  async prepare(): Promise<void> {
    await this.#opened();
  }

  /** A room for one process, with the module that it is to import. */
  async open(module: Uint8Array): Promise<ProgramRoom> {
    const { isolation, folder } = await this.#opened();
    this.#rooms += 1;
    const room = join(folder, `program-${this.#rooms}`);
    const given = join(room, 'given');
    const file = await layOutProgram(given, module, fromCheckout('node_modules/@longrun'));
    const launch = await isolation.prepare({ folder: join(room, 'own'), shared: [given] });
    return { file, launch, close: async () => await this.#remove(room) };
  }

  /** Removes what programs have left. No process of theirs runs any more. */
  async close(): Promise<void> {
    const opened = await this.#open?.catch(() => undefined);
    if (opened !== undefined) await this.#remove(opened.folder);
  }

  async #remove(folder: string): Promise<void> {
    const left = await removeTree(folder);
    if (left !== undefined) this.#options.report(left);
  }

  #opened(): Promise<Opened> {
    this.#open ??= this.#make();
    return this.#open;
  }

  async #make(): Promise<Opened> {
    const { stateFolder, user, report } = this.#options;
    const isolation = await Isolation.find({ user, stateFolder, code: [fromCheckout('.')] });
    report(isolation.sentence);
    const folder = await claimScratchFolder(stateFolder, 'api', report);
    return { isolation, folder };
  }
}

/** Where one process of a program runs. */
export interface ProgramRoom {
  /** The module, which it reads. */
  readonly file: string;
  readonly launch: Launch;
  /** Removes it. Nothing runs there any more. Never fails. */
  close(): Promise<void>;
}

interface Opened {
  readonly isolation: Isolation;
  /** Of this process alone; in it each process of a program has one. */
  readonly folder: string;
}
