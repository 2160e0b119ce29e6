import { randomUUID } from 'node:crypto';
import { appendFile, link, readdir, readFile, stat, unlink } from 'node:fs/promises';
import path from 'node:path';

import { makeFolder, syncFolder, writeSynced } from '../durable-file.js';
import { absent, codeOf } from '../file-error.js';
import { isSameFile } from '../same-file.js';
import { type OperationOptions, PreconditionFailed, RegisterDamaged, type RegisterValue } from './object-store.js';
import { decodeGeneration, encodeGeneration, type Generation } from './register-generation.js';

/**
 * A register in a folder: one file per generation, the highest is the value. No locks: any process may be killed at any point,
 * and the others go on.
 *
 * Generation n+1 is made by linking a finished file to that name, which the file system lets exactly one process do. Old
 * generations are collected, so a writer that slept since it read generation n may find the name n+1 free again. Therefore:
 *
 * - Generations are collected in ascending order; before the first one goes, the file `collected` says so for good.
 * - A writer that linked n+1 has won only if the generation n that it read is still there, or, for the first, if nothing says
 *   `collected`. If n+1 had been collected before, n had been too.
 * - Until it knows, its file keeps a second name, `pending-<id>`, and no collector removes the generation before a pending one: so a
 *   winner, however slow, finds n there.
 * - A reader takes a generation for the value only if the one before it is there and is the one it names: so it never takes
 *   a file that a sleeper has just linked and is about to remove.
 */
export class FileRegister {
  readonly folder: string;
  readonly #key: string;

  constructor(folder: string, key: string) {
    this.folder = folder;
    this.#key = key;
  }

  /** The value, or undefined if it was never set. */
  async read(): Promise<RegisterValue | undefined> {
    let highest: number | undefined;
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      highest = (await this.#generations()).at(-1);
      if (highest === undefined) return undefined;
      const generation = await this.#load(highest);
      if (generation !== undefined && (await this.#follows(highest, generation.predecessor))) {
        return { bytes: generation.bytes, version: versionOf(highest, generation.id) };
      }
      // Others have moved on since the names were read: look again.
    }
    throw new RegisterDamaged(
      `register folder ${this.folder} is damaged: generation ${highest} does not follow the one before it; restore it from a backup`,
    );
  }

  /** Sets the value if its version is `expected`. @throws PreconditionFailed */
  async compareAndSet(expected: string | null, bytes: Uint8Array, { signal }: OperationOptions = {}): Promise<string> {
    const predecessor = parseVersion(expected);
    const next = predecessor.number + 1;
    const id = randomUUID();
    const pending = path.join(this.folder, `${PENDING}${id}`);
    if (expected === null) await makeFolder(this.folder);
    let isLeft = true;
    try {
      const writing = writeSynced(pending, encodeGeneration({ id, predecessor: predecessor.id, bytes }));
      // That it is the last one, the file system says as the next is linked.
      if (!(await meanwhile(writing, this.#follows(next, predecessor.id)))) await this.#refuse(expected);
      await writing;
      // Nobody waits for it any more: it must not be set behind the back of whoever has given it up.
      signal?.throwIfAborted();
      // Whoever slept so long that its file was taken for abandoned has not set it either, and may look again.
      if ((await linkOnce(pending, this.#file(next)).catch(absent)) !== true) await this.#refuse(expected);
      const syncing = syncFolder(this.folder);
      if (!(await meanwhile(syncing, this.#hasWon(next, predecessor.id, pending)))) await this.#refuse(expected);
      await syncing;
      isLeft = false;
    } finally {
      if (isLeft) await remove(pending);
    }
    // It is set, whatever becomes of old ones: who comes next collects those, too.
    if (next % COLLECTED_AT_ONCE === 0) await this.#collect(next).catch(() => undefined);
    return versionOf(next, id);
  }

  /** Whether a linked generation is the value. It loses its second name when that is known, or else the first. */
  async #hasWon(number: number, predecessorId: string | null, pending: string): Promise<boolean> {
    const hasWon = await this.#follows(number, predecessorId);
    await remove(hasWon ? pending : this.#file(number));
    return hasWon;
  }

  /** Another has set it. @throws PreconditionFailed, or RegisterDamaged where nobody can */
  async #refuse(expected: string | null): Promise<never> {
    await this.read();
    throw new PreconditionFailed(this.#key, expected);
  }

  /** Size of the value in bytes, or undefined if it was never set. */
  async sizeBytes(): Promise<number | undefined> {
    return (await this.read())?.bytes.byteLength;
  }

  /** True if generation `number - 1` is there and has this id; the first follows nothing, while nothing was collected. */
  async #follows(number: number, predecessorId: string | null): Promise<boolean> {
    if (number === 1) return predecessorId === null && (await stats(this.#collectedMark)) === undefined;
    return predecessorId !== null && (await this.#load(number - 1))?.id === predecessorId;
  }

  async #collect(newest: number): Promise<void> {
    const old = (await this.#generations()).filter((number) => number <= newest - KEPT_GENERATIONS);
    if (old.length > 0 && (await this.#markCollected())) {
      for (const number of old) {
        if (await this.#isPending(number + 1)) break;
        await remove(this.#file(number));
      }
    }
    await this.#removeAbandoned();
  }

  /** False while the writer of the first generation does not know yet that it has won. */
  async #markCollected(): Promise<boolean> {
    if ((await stats(this.#collectedMark)) !== undefined) return true;
    if (await this.#isPending(1)) return false;
    await appendFile(this.#collectedMark, '');
    await syncFolder(this.folder);
    return true;
  }

  get #collectedMark(): string {
    return path.join(this.folder, 'collected');
  }

  async #isPending(number: number): Promise<boolean> {
    return ((await stats(this.#file(number)))?.nlink ?? 0) > 1;
  }

  /** Removes the pending names of writers that were killed; a living one needs its own for milliseconds. */
  async #removeAbandoned(): Promise<void> {
    for (const name of await names(this.folder)) {
      if (!name.startsWith(PENDING)) continue;
      const file = path.join(this.folder, name);
      const writtenMs = (await stats(file))?.mtimeMs;
      if (writtenMs !== undefined && Date.now() - writtenMs > ABANDONED_MS) await remove(file);
    }
  }

  async #generations(): Promise<number[]> {
    return (await names(this.folder))
      .filter((name) => GENERATION.test(name))
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  async #load(number: number): Promise<Generation | undefined> {
    const file = this.#file(number);
    const content = await readFile(file).catch(absent);
    return content === undefined ? undefined : decodeGeneration(`register file ${file}`, content);
  }

  #file(number: number): string {
    return path.join(this.folder, String(number).padStart(GENERATION_DIGITS, '0'));
  }
}

const GENERATION_DIGITS = 16;
const GENERATION = /^\d{16}$/u;
const PENDING = 'pending-';
const KEPT_GENERATIONS = 16;
const COLLECTED_AT_ONCE = 8;
const READ_ATTEMPTS = 1000;
const ABANDONED_MS = 10 * 60_000;

/** What is answered while the disk is at work: when both are over, whatever became of that work. */
async function meanwhile<T>(work: Promise<unknown>, answer: Promise<T>): Promise<T> {
  await Promise.allSettled([work, answer]);
  return await answer;
}

function versionOf(number: number, id: string): string {
  return `${number}-${id}`;
}

function parseVersion(version: string | null): { number: number; id: string | null } {
  if (version === null) return { number: 0, id: null };
  const dash = version.indexOf('-');
  return { number: Number(version.slice(0, dash)), id: version.slice(dash + 1) };
}

/** Gives a file a second name; false if the name is taken, or was at that moment. */
export async function linkOnce(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Over a network the answer to a successful link may be lost and the link tried again.
    return isSameFile(name, file);
  }
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(absent)) ?? [];
}

async function stats(file: string): Promise<{ nlink: number; mtimeMs: number } | undefined> {
  return stat(file).catch(absent);
}

/** Removes a file, if it is there. */
export async function remove(file: string): Promise<void> {
  await unlink(file).catch(absent);
}
