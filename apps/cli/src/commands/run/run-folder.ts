import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { newestSnapshot, newestWholeSnapshot } from '@longrun/blocks';
import { type CheckpointPolicy, JsonObject } from '@longrun/contracts';
import { FolderLock } from '@longrun/platform/processes';
import { layOutProgram, type ProgramBundle } from '@longrun/platform/programs';
import { makeFolder, onDisk, writeDurably } from '@longrun/serialization';
import { z } from 'zod';

import { RunFailed } from './run-failed.js';

/** What a run is of: a checkpoint is gone on from by the same alone. */
export interface RunIdentity {
  readonly programSha256: string;
  /** As the program reads them, with its defaults. */
  readonly params: JsonObject;
  readonly seed: number;
  /** SHA-256 of the file of each dataset, by role. */
  readonly datasets: Readonly<Record<string, string>>;
}

/**
 * The folder that one program is trained in, held by one process at a time: `run` has the present run (`run.json`: what it is of, `checkpoints`,
 * `outputs`), `run-1`, `run-2`, ... those that were given up for a fresh one, `program` the module that is trained,
 * `compiled` what was compiled for it.
 */
export class RunFolder {
  readonly path: string;
  readonly #lock: FolderLock;
  readonly #wasThere: boolean;

  private constructor(path: string, lock: FolderLock, wasThere: boolean) {
    this.path = path;
    this.#lock = lock;
    this.#wasThere = wasThere;
  }

  /** Makes it, where it is not there. @throws FolderInUse while another process trains in it; RunFailed where it cannot be made */
  static async open(folder: string): Promise<RunFolder> {
    const path = resolve(folder);
    const wasThere = existsSync(path);
    const lock = await FolderLock.take(join(path, 'lock')).catch((error: unknown) => {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      throw new RunFailed(`${path} cannot be used (${error.message}); give another folder by --checkpoints`, {
        cause: error,
      });
    });
    return new RunFolder(path, lock, wasThere);
  }

  get checkpoints(): string {
    return join(this.#run, 'checkpoints');
  }

  get outputs(): string {
    return join(this.#run, 'outputs');
  }

  /** What was compiled for the program, whichever run it was for. */
  get compiled(): string {
    return join(this.path, 'compiled');
  }

  /** Puts the module of the program where it can be imported, and answers where. */
  async layOut({ module, sourceMap }: ProgramBundle, libraries: string): Promise<string> {
    const folder = join(this.path, 'program');
    return await onDisk(`the program could not be written to ${folder}`, async () => {
      await rm(folder, { recursive: true, force: true });
      return await layOutProgram(folder, module, libraries, sourceMap);
    });
  }

  /** Moves the present run aside, where there is one, and answers where to. */
  async moveAside(): Promise<string | undefined> {
    if (!existsSync(this.#run)) return undefined;
    const numbers = (await readdir(this.path)).map((name) => Number(/^run-(\d+)$/.exec(name)?.[1] ?? 0));
    const aside = join(this.path, `run-${Math.max(0, ...numbers) + 1}`);
    await rename(this.#run, aside);
    return aside;
  }

  /**
   * The newest checkpoint of the present run that is whole, undefined where there is none yet: then it says what the run is of. Newer ones that are
   * damaged are said and go, and so does what one that was killed has left half written, and checkpoints beyond those that are to be kept.
   *
   * @throws RunFailed when the checkpoint is that of something else, and where none is whole
   */
  async claim(
    identity: RunIdentity,
    { keepLast, say }: Pick<CheckpointPolicy, 'keepLast'> & { readonly say: (line: string) => void },
  ): Promise<string | undefined> {
    if ((await newestSnapshot(this.checkpoints)) === undefined) {
      await onDisk(`${this.#file} could not be written`, async () => {
        await makeFolder(this.checkpoints);
        await writeDurably(this.#file, [Buffer.from(`${JSON.stringify({ version: 1, ...identity }, null, 1)}\n`)]);
      });
    } else {
      this.#check(await this.#read(), identity);
    }
    const { whole, damaged } = await newestWholeSnapshot(this.checkpoints);
    const said = damaged.map(({ folder, reason }) => `${basename(folder)}: ${reason}`).join('; ');
    if (whole === undefined && damaged.length > 0)
      throw new RunFailed(`no checkpoint in ${this.checkpoints} is whole (${said}), and all are kept; ${REMEDY}`);
    if (damaged.length > 0) say(`passed over and removed, as damaged: ${said}`);
    const names = (await readdir(this.checkpoints)).toSorted();
    const unfinished = names.filter((name) => name.endsWith('.partial'));
    const broken = damaged.map(({ folder }) => basename(folder));
    const older = names.filter((name) => name.startsWith('step-') && !broken.includes(name)).slice(0, -keepLast);
    for (const name of [...unfinished, ...broken, ...older])
      await rm(join(this.checkpoints, name), { recursive: true });
    return whole;
  }

  /** Gives it back. A folder that was made for a run which has no checkpoint goes again. */
  async close(): Promise<void> {
    const isNeeded = this.#wasThere || (await newestSnapshot(this.checkpoints)) !== undefined;
    // While it is held, as the next process may be about to take it.
    if (!isNeeded) await rm(this.path, { recursive: true, force: true });
    await this.#lock.release();
  }

  #check(then: RunIdentity, now: RunIdentity): void {
    const differing = [
      ...(then.programSha256 === now.programSha256 ? [] : ['another program (its file has changed)']),
      ...[...new Set([...Object.keys(then.params), ...Object.keys(now.params)])]
        .filter((name) => !isDeepStrictEqual(then.params[name], now.params[name]))
        .map((name) => `${name} = ${shown(then.params[name])}, not ${shown(now.params[name])}`),
      ...(then.seed === now.seed ? [] : [`the seed ${then.seed}, not ${now.seed}`]),
      ...[...new Set([...Object.keys(then.datasets), ...Object.keys(now.datasets)])]
        .filter((role) => then.datasets[role] !== now.datasets[role])
        .map((role) => `another dataset ${role}`),
    ];
    if (differing.length === 0) return;
    throw new RunFailed(
      `${this.path} has a run of ${differing.join(', ')}, and only the same goes on from its checkpoints; ${REMEDY}`,
    );
  }

  /** @throws RunFailed when nobody knows what the run is of */
  async #read(): Promise<RunIdentity> {
    try {
      return RunFile.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      throw new RunFailed(`${this.#file}, which says what the checkpoints are of, is missing or damaged; ${REMEDY}`, {
        cause: error,
      });
    }
  }

  get #run(): string {
    return join(this.path, 'run');
  }

  get #file(): string {
    return join(this.#run, 'run.json');
  }
}

/** What to do where a run cannot be gone on with. */
export const REMEDY = 'begin anew by --fresh, which moves it aside, or give another folder by --checkpoints';

const RunFile = z.object({
  version: z.literal(1),
  programSha256: z.string(),
  params: JsonObject,
  seed: z.int(),
  datasets: z.record(z.string(), z.string()),
});

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
