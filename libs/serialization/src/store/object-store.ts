import type { FileHandle } from 'node:fs/promises';

import type { WrittenFile } from '../durable-file.js';

/** The bytes of an object: given, or those of a local file, from its start, `mostBytes` of them at most. */
export type ObjectBody =
  | Uint8Array
  | { readonly path: string; readonly mostBytes?: number | undefined }
  | { readonly handle: FileHandle; readonly mostBytes?: number | undefined };

/** How an object is moved. */
export interface TransferOptions {
  /** Told each time more of it has been moved, many times for a large one: by its silence a transfer that hangs is known. */
  readonly onMoved?: (() => void) | undefined;
}

/** An object as listed. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/** The bytes of a register and the version to compare with when it is set. */
export interface RegisterValue {
  readonly bytes: Uint8Array;
  /** Opaque; no two values of a register ever have the same. */
  readonly version: string;
}

/**
 * A place for bytes by key: large objects that are written once, and registers, small values that several processes change
 * under compare-and-set. A key is one or the other, never both.
 *
 * Keys are segments parted by `/`; a segment is 1 to 200 of the characters `A-Z a-z 0-9 . _ - = + @ ,` and starts with none of
 * the dots. Every method throws {@link InvalidKey} for another key. What a resolved promise has written is on disk.
 */
export interface ObjectStore {
  /** Where it is, in the form that `openObjectStore` takes. */
  readonly url: string;

  /** The bytes of an object, or undefined if there is none. */
  get(key: string): Promise<Uint8Array | undefined>;

  /**
   * Copies an object to a local file, which appears complete and on disk or not at all, and replaces what was there. The
   * hash is that of the bytes as they were written. Undefined, and no file, if there is no such object.
   */
  download(key: string, path: string, options?: TransferOptions): Promise<WrittenFile | undefined>;

  /**
   * Writes an object, complete or not at all, over one that is there already. Answers what was written: a file may change while it is
   * read.
   *
   * @param options.ifAbsent Do not replace: throw {@link ObjectExists} if there is one. Default false.
   */
  put(key: string, body: ObjectBody, options?: TransferOptions & { readonly ifAbsent?: boolean }): Promise<WrittenFile>;

  /** The current value of a register, or undefined if it was never set. @throws RegisterDamaged */
  readRegister(key: string): Promise<RegisterValue | undefined>;

  /**
   * Sets a register if its version is still `expected` (null: if it was never set) and returns the new version. Of any number
   * of processes that expect the same version exactly one succeeds.
   *
   * When it throws anything else than {@link PreconditionFailed} the register may or may not have been set: read it again.
   *
   * @throws PreconditionFailed if the register has another version.
   */
  compareAndSet(key: string, expected: string | null, bytes: Uint8Array): Promise<string>;

  /** Objects and registers whose key starts with `prefix`, in no promised order. */
  list(prefix: string): AsyncIterable<ListedObject>;

  /** Removes objects and registers. A key that is absent is no error. */
  delete(keys: readonly string[]): Promise<void>;
}

/** An object was to be written only if absent, and is there. */
export class ObjectExists extends Error {
  override readonly name = 'ObjectExists';
}

/** What is stored of a register is not what was written: nothing can be read or set there until somebody puts it right. */
export class RegisterDamaged extends Error {
  override readonly name = 'RegisterDamaged';
}

/** A register does not have the version that was expected. */
export class PreconditionFailed extends Error {
  override readonly name = 'PreconditionFailed';
}

/** A key that no object can have. */
export class InvalidKey extends Error {
  override readonly name = 'InvalidKey';
}

/** Checks a key. @throws InvalidKey saying what is wrong with it. */
export function checkKey(key: string): void {
  const segments = key.split('/');
  const wrong = segments.find((segment) => !SEGMENT.test(segment));
  if (wrong === undefined && key.length <= MAX_KEY_CHARACTERS) return;
  const reason =
    wrong === undefined
      ? `it has more than ${MAX_KEY_CHARACTERS} characters`
      : `its segment ${JSON.stringify(wrong)} is not allowed`;
  throw new InvalidKey(
    `object key ${JSON.stringify(key)}: ${reason}; give segments of 1 to 200 of A-Z a-z 0-9 . _ - = + @ , parted by single ` +
      `slashes, none starting with a dot`,
  );
}

const SEGMENT = /^[\w\-=+@,][\w.\-=+@,]{0,199}$/u;
const MAX_KEY_CHARACTERS = 900;
