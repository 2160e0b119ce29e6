import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { newestSnapshot } from '@longrun/blocks';
import { type CheckpointPolicy, JsonObject } from '@longrun/contracts';
import { FolderLock } from '@longrun/platform/processes';
import { layOutProgram } from '@longrun/platform/programs';
import { makeFolder, writeDurably } from '@longrun/serialization';
import { z } from 'zod';

import { RunFailed } from './run-failed.js';

/** What a run is of: a checkpoint is gone on from by the same alone. */
export interface RunIdentity {
  readonly programSha256: string;
  /** As the program reads them, with its defaults. */
  readonly params: JsonObject;
  readonly seed: number;
}

/**
 * The folder that one program is trained in, held by one process at a time: `run` has the present run (`run.json`: what it is of, `checkpoints`,
 * `outputs`), `run-1`, `run-2`, ... those that were given up for a fresh one, `program` the module that is trained.
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

  /** Makes it, where it is not there. @throws FolderInUse while another process trains in it */
  static async open(folder: string): Promise<RunFolder> {
    const path = resolve(folder);
    const wasThere = existsSync(path);
    return new RunFolder(path, await FolderLock.take(join(path, 'lock')), wasThere);
  }

  get checkpoints(): string {
    return join(this.#run, 'checkpoints');
  }

  get outputs(): string {
    return join(this.#run, 'outputs');
  }

  /** Puts the module of the program where it can be imported, and answers where. */
  async layOut(module: Uint8Array, libraries: string): Promise<string> {
    const folder = join(this.path, 'program');
    await rm(folder, { recursive: true, force: true });
    return await layOutProgram(folder, module, libraries);
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
   * The newest checkpoint of the present run, undefined where there is none yet: then it says what the run is of. What one that was killed has
   * left half written goes, and checkpoints beyond those that are to be kept.
   *
   * @throws RunFailed when the checkpoint is that of something else
   */
  async claim(identity: RunIdentity, { keepLast }: Pick<CheckpointPolicy, 'keepLast'>): Promise<string | undefined> {
    const file = join(this.#run, 'run.json');
    const newest = await newestSnapshot(this.checkpoints);
    if (newest === undefined) {
      await makeFolder(this.checkpoints);
      await writeDurably(file, [Buffer.from(`${JSON.stringify({ version: 1, ...identity }, null, 1)}\n`)]);
    } else {
      this.#check(RunFile.parse(JSON.parse(await readFile(file, 'utf8'))), identity);
    }
    const names = (await readdir(this.checkpoints)).toSorted();
    const unfinished = names.filter((name) => name.endsWith('.partial'));
    const older = names.filter((name) => name.startsWith('step-')).slice(0, -keepLast);
    for (const name of [...unfinished, ...older]) await rm(join(this.checkpoints, name), { recursive: true });
    return newest;
  }

  /** Gives it back. A folder that was made for a run which has no checkpoint goes again. */
  async close(): Promise<void> {
    const isNeeded = this.#wasThere || (await newestSnapshot(this.checkpoints)) !== undefined;
    await this.#lock.release();
    if (!isNeeded) await rm(this.path, { recursive: true, force: true });
  }

  #check(then: RunIdentity, now: RunIdentity): void {
    const differing = [
      ...(then.programSha256 === now.programSha256 ? [] : ['another program (its file has changed)']),
      ...[...new Set([...Object.keys(then.params), ...Object.keys(now.params)])]
        .filter((name) => !isDeepStrictEqual(then.params[name], now.params[name]))
        .map((name) => `${name} = ${shown(then.params[name])}, not ${shown(now.params[name])}`),
      ...(then.seed === now.seed ? [] : [`the seed ${then.seed}, not ${now.seed}`]),
    ];
    if (differing.length === 0) return;
    throw new RunFailed(
      `${this.path} has a run of ${differing.join(', ')}, and only the same goes on from its checkpoints; ` +
        'begin anew by --fresh, which moves it aside, or give another folder by --checkpoints',
    );
  }

  get #run(): string {
    return join(this.path, 'run');
  }
}

const RunFile = z.object({ version: z.literal(1), programSha256: z.string(), params: JsonObject, seed: z.int() });

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
