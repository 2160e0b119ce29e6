import type { FileHandle } from 'node:fs/promises';

import type { WrittenFile } from '../durable-file.js';

/**
 * The bytes of an object: given, or those of a local file, from its start, `mostBytes` of them at most, or what a stream gives. Each chunk
 * of a stream is taken before the next is asked for.
 */
export type ObjectBody =
  | Uint8Array
  | { readonly path: string; readonly mostBytes?: number | undefined }
  | { readonly handle: FileHandle; readonly mostBytes?: number | undefined; readonly given?: GivenFile | undefined }
  | { readonly stream: AsyncIterable<Uint8Array> };

/**
 * A file that a store may have for its own instead of a copy, and whose bytes it need not hash again. Whoever gives it writes to it no more,
 * and may remove its name.
 */
export interface GivenFile {
  /** Its name. */
  readonly path: string;
  /** What its bytes have been found to be, by its handle. */
  readonly content: WrittenFile;
  /** When it had been written last before the last of them was read, in ns since 1970: one that was written since is not taken, but read once more. */
  readonly mtimeNs: bigint;
}

/** What any operation is told. */
export interface OperationOptions {
  /** Aborted, the operation rejects with its reason. Whether what was asked is done is not known then. */
  readonly signal?: AbortSignal | undefined;
}

/** How an object is moved. */
export interface TransferOptions extends OperationOptions {
  /** Told each time more of it has been moved, many times for a large one: by its silence a transfer that hangs is known. */
  readonly onMoved?: (() => void) | undefined;
}

export interface PutOptions extends TransferOptions {
  /** Do not replace: throw {@link ObjectExists} if there is one. Default false. */
  readonly ifAbsent?: boolean | undefined;
  /** What the bytes must be; where they are not, {@link ContentMismatch} is thrown and nothing is written. Default: anything. */
  readonly expected?: ExpectedContent | undefined;
}

/** What is known of bytes before they are read. */
export interface ExpectedContent {
  readonly sizeBytes?: number | undefined;
  /** In lower-case hexadecimal digits. */
  readonly sha256?: string | undefined;
}

/** Part of an object: its bytes from `start` to before `end`. What would lie behind its last byte is left out. */
export interface ByteRange {
  /** 0 or more. */
  readonly start: number;
  /** `start` or more. Default: its end. */
  readonly end?: number | undefined;
}

export interface ReadOptions extends OperationOptions {
  /** Default: all of it. */
  readonly range?: ByteRange | undefined;
}

export interface DownloadUrlOptions extends OperationOptions {
  /** How long it can be used, in ms. At least 1,000, at most seven days. */
  readonly validMs: number;
  /** What a browser saves it as; printable ASCII without quotes. Default: what the store makes of the key. */
  readonly fileName?: string | undefined;
}

/** What a store says of an object without reading it. */
export interface ObjectFacts {
  readonly sizeBytes: number;
  /** In lower-case hexadecimal digits, as it was when the object was put; undefined where the store has not noted it. */
  readonly sha256: string | undefined;
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

/** What was found of a store that serves. */
export interface StoreProbe {
  /** What is done otherwise than usual there and why, a sentence each; most often none. */
  readonly notes: readonly string[];
}

/**
 * A place for bytes by key: large objects that are written once, and registers, small values that several processes change
 * under compare-and-set. A key is one or the other, never both, and none is the beginning of another up to a slash.
 *
 * Keys are segments parted by `/`; a segment is 1 to 200 of the characters `A-Z a-z 0-9 . _ - = + @ ,` and starts with none of
 * the dots. Every method throws `InvalidKey` for another key. What a resolved promise has written is on disk.
 *
 * Get one from `openObjectStore`: such a store waits for no operation without end, but throws {@link StoreStalled}.
 */
export interface ObjectStore {
  /** Where it is, in the form that `openObjectStore` takes. */
  readonly url: string;

  /** Whether it takes files that are given, where they are on its own disk: their bytes have to be on the disk then. */
  readonly takesFiles: boolean;

  /** The bytes of an object, or undefined if there is none. */
  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined>;

  /**
   * The bytes of an object, a piece at a time, all of one and the same object. Each piece is valid only until the next is asked for.
   * Nothing is held open before the first.
   *
   * @throws ObjectAbsent if there is no such object
   */
  openRead(key: string, options?: ReadOptions): AsyncGenerator<Uint8Array>;

  /** What is known of an object, or undefined if there is none. */
  head(key: string, options?: OperationOptions): Promise<ObjectFacts | undefined>;

  /**
   * Copies an object to a local file, which appears complete or not at all, and replaces what was there; it need not outlive the machine's
   * fall. The hash is that of the bytes as they were written. Undefined, and no file, if there is no such object.
   */
  download(key: string, path: string, options?: TransferOptions): Promise<WrittenFile | undefined>;

  /** A URL from which anybody can fetch an object, or ranges of it, for a while, whether it is there or not; undefined where a store has none. It is a secret. */
  downloadUrl(key: string, options: DownloadUrlOptions): Promise<string | undefined>;

  /**
   * Writes an object, complete or not at all, over one that is there already. Answers what was written: a file may change while it is
   * read.
   *
   * @throws ObjectExists, ContentMismatch: nothing has been written
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<WrittenFile>;

  /** The current value of a register, or undefined if it was never set. @throws RegisterDamaged */
  readRegister(key: string, options?: OperationOptions): Promise<RegisterValue | undefined>;

  /**
   * Sets a register if its version is still `expected` (null: if it was never set) and returns the new version. Of any number
   * of processes that expect the same version exactly one succeeds.
   *
   * When it throws anything else than {@link PreconditionFailed} the register may or may not have been set: read it again.
   *
   * @throws PreconditionFailed if the register has another version, and has not been set by this call.
   */
  compareAndSet(key: string, expected: string | null, bytes: Uint8Array, options?: OperationOptions): Promise<string>;

  /** Objects and registers whose key starts with `prefix`, in no promised order. */
  list(prefix: string, options?: OperationOptions): AsyncIterable<ListedObject>;

  /**
   * Removes objects and registers. A key that is absent is no error.
   *
   * @throws DeletionFailed naming those that could not be removed; all others are gone
   */
  delete(keys: readonly string[], options?: TransferOptions): Promise<void>;

  /**
   * Proves, on objects of its own, that the store can do what this interface promises: that what was written is read, and that of two writes
   * under one condition the second is refused.
   *
   * @throws StoreUnfit saying why it cannot serve
   */
  probe(options?: OperationOptions): Promise<StoreProbe>;

  /** Removes what writers that are gone have begun to write, and answers how many there were. What may still be written is left alone. */
  sweep(options?: OperationOptions): Promise<number>;
}

/** What of a store its objects are read by. */
export type ObjectReading = Pick<ObjectStore, 'url' | 'get' | 'head' | 'openRead' | 'download'>;

/** An object was to be read, and is not there. */
export class ObjectAbsent extends Error {
  override readonly name = 'ObjectAbsent';
}

/** An object was to be written only if absent, and is there. */
export class ObjectExists extends Error {
  override readonly name = 'ObjectExists';

  constructor(key: string) {
    super(`object ${key} exists already; an object that is written once needs a key of its own`);
  }
}

/** The bytes that were to be written are not those that were expected. */
export class ContentMismatch extends Error {
  override readonly name = 'ContentMismatch';

  /** What they are; undefined if there are more than were to be read. */
  readonly found: WrittenFile | undefined;

  constructor(key: string, { sizeBytes, sha256 }: ExpectedContent, found?: WrittenFile) {
    const wanted = [
      ...(sizeBytes === undefined ? [] : [`${sizeBytes} bytes`]),
      ...(sha256 === undefined ? [] : [`SHA-256 ${sha256}`]),
    ];
    const given = found === undefined ? 'more bytes' : `${found.sizeBytes} bytes with SHA-256 ${found.sha256}`;
    super(
      `object ${key} was to have ${wanted.join(' and ')} but what was given has ${given}; leave a file alone until it is stored`,
    );
    this.found = found;
  }
}

/** @throws ContentMismatch if what was found is not what was expected */
export function checkContent(key: string, expected: ExpectedContent | undefined, found: WrittenFile): void {
  if (expected === undefined) return;
  const { sizeBytes = found.sizeBytes, sha256 = found.sha256 } = expected;
  if (sizeBytes !== found.sizeBytes || sha256 !== found.sha256) throw new ContentMismatch(key, expected, found);
}

/** What is stored of a register is not what was written: nothing can be read or set there until somebody puts it right. */
export class RegisterDamaged extends Error {
  override readonly name = 'RegisterDamaged';
}

/** A register does not have the version that was expected. */
export class PreconditionFailed extends Error {
  override readonly name = 'PreconditionFailed';

  /** @param expected the version; null: it was to be unset */
  constructor(key: string, expected: string | null) {
    const was = expected === null ? 'unset' : `at version ${expected}`;
    super(`register ${key} is no longer ${was}; read it again and decide anew`);
  }
}

/** Some objects could not be removed. */
export class DeletionFailed extends Error {
  override readonly name = 'DeletionFailed';

  readonly failed: readonly FailedDeletion[];

  /** @param failed one or more */
  constructor(url: string, failed: readonly [FailedDeletion, ...FailedDeletion[]]) {
    const [{ key, reason }] = failed;
    const more = failed.length === 1 ? '' : `, nor ${failed.length - 1} others`;
    super(`object store ${url}: ${key} could not be removed (${reason})${more}; try again`);
    this.failed = failed;
  }
}

export interface FailedDeletion {
  readonly key: string;
  /** What the store said. */
  readonly reason: string;
}

/** A store cannot do what it has to. */
export class StoreUnfit extends Error {
  override readonly name = 'StoreUnfit';
}
