import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';

import { type WrittenFile, writeSynced } from '../../durable-file.js';
import { BIG } from '../../same-file.js';
import { bodyFor, givenIn, isAsRead, telling } from '../object-body.js';
import {
  checkContent,
  ContentMismatch,
  ObjectAbsent,
  type ObjectBody,
  ObjectExists,
  type PutOptions,
} from '../object-store.js';
import { type Digests, DigestsOfBytes, digestsOfChunks, type Part, partsOf } from './s3-content.js';
import { S3Upload } from './s3-multipart.js';
import { type FoundObject, isRefused, MOST_UNTRUE, type ObjectContent, type S3Objects } from './s3-objects.js';
import { readS3 } from './s3-reading.js';
import { S3Failed } from './s3-requests.js';

/** Writes objects: small ones in one request, large ones in parts, and looks at each before it says that it is there. */
export class S3Writing {
  readonly #objects: S3Objects;
  /** Uploads that have failed on the way, by object and content: the next put goes on with them. */
  readonly #unfinished = new Map<string, S3Upload>();

  constructor(objects: S3Objects) {
    this.#objects = objects;
  }

  /** As `ObjectStore.put`. */
  async put(name: string, key: string, body: ObjectBody, options: PutOptions): Promise<WrittenFile> {
    const parts = partsOf(bodyFor(key, body, { ...options, onMoved: undefined }))[Symbol.asyncIterator]();
    try {
      const first = await parts.next();
      if (first.done === true) throw new Error('an object has no part');
      if (first.value.isLast) return await this.#putSmall(name, key, first.value.bytes, options);
      if (options.ifAbsent !== true) {
        return await this.#putParts(name, key, joined(first.value, parts), options, givenIn(body));
      }
      if ((await this.#objects.head(name, options)) !== undefined) throw new ObjectExists(key);
      if (!('stream' in body)) return await this.#putOnce(name, key, body, options);
      return await this.#putSpooled(name, key, joined(first.value, parts), options);
    } catch (error) {
      if (!(error instanceof WrittenSince)) throw error;
    } finally {
      await parts.return?.(undefined);
    }
    // What it was found to be it is no more: it is read as any other.
    return await this.put(name, key, withoutGiven(body), options);
  }

  async #putSmall(name: string, key: string, bytes: Buffer, options: PutOptions): Promise<WrittenFile> {
    const digests = new DigestsOfBytes(bytes);
    checkContent(key, options.expected, digests.written);
    await this.#write(name, key, bytes, digests, options);
    options.onMoved?.();
    return digests.written;
  }

  /** A large object that must not replace another: in one request, as not every server heeds conditions for parts. */
  async #putOnce(
    name: string,
    key: string,
    body: Exclude<ObjectBody, { readonly stream: unknown }>,
    options: PutOptions,
  ): Promise<WrittenFile> {
    const digests = await digestsOfChunks(bodyFor(key, body, options));
    checkContent(key, options.expected, digests.written);
    if (digests.written.sizeBytes > MOST_BYTES_AT_ONCE) {
      const expected = digests.written;
      return this.#putParts(name, key, partsOf(bodyFor(key, body, { ...options, onMoved: undefined })), {
        ...options,
        expected,
      });
    }
    const { sizeBytes } = digests.written;
    const again = { ...options, expected: digests.written };
    const make = (onMoved: () => void): Readable =>
      Readable.from(copiesOf(bodyFor(key, body, { ...again, onMoved }), key, again));
    await this.#write(name, key, { sizeBytes, make }, digests, options);
    return digests.written;
  }

  /** A stream can be read once only: from a file it can be sent again. */
  async #putSpooled(name: string, key: string, parts: AsyncIterable<Part>, options: PutOptions): Promise<WrittenFile> {
    const folder = await mkdtemp(path.join(tmpdir(), 'longrun-spool-'));
    try {
      const file = path.join(folder, 'object');
      await writeSynced(file, telling(bytesOf(parts), options));
      return await this.#putOnce(name, key, { path: file }, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** One request, made again while the server has not done what it says, and known again when its answer was lost. */
  async #write(
    name: string,
    key: string,
    body: ObjectContent,
    digests: Digests & { readonly written: WrittenFile },
    options: PutOptions,
  ): Promise<void> {
    const { written } = digests;
    const notes = { write: randomUUID(), sha256: written.sha256 };
    const condition = options.ifAbsent === true ? ({ absent: true } as const) : undefined;
    const { signal, onMoved } = options;
    let before: FoundObject | undefined;
    for (let untrue = 0; untrue < MOST_UNTRUE; untrue += 1) {
      try {
        await this.#objects.put(name, body, digests, notes, { signal, onMoved, condition });
      } catch (error) {
        if (!isRefused(error) || condition === undefined) throw error;
        const found = await this.#objects.head(name, { signal });
        if (found?.write !== notes.write) throw new ObjectExists(key);
      }
      const found = await this.#seen(name, key, { ...notes, ...written }, options);
      if (found?.write === notes.write) return;
      if (found !== undefined && condition !== undefined) throw new ObjectExists(key);
      // What is there is another's: put before, and this was not written, or since, if it is not what was there the last time.
      if (before !== undefined && found !== undefined && !isSame(before, found)) return;
      before = found;
    }
    throw this.#objects.untrue(`written ${key}`);
  }

  /**
   * @param given What the parts are known to be, of a file that was given
   * @throws WrittenSince where they may not be that any more
   */
  async #putParts(
    name: string,
    key: string,
    parts: AsyncIterable<Part>,
    options: PutOptions,
    given?: ReturnType<typeof givenIn>,
  ): Promise<WrittenFile> {
    const { expected, signal } = options;
    const before = await this.#objects.head(name, { signal });
    const upload = await this.#uploadFor(name, expected?.sha256, options);
    try {
      const written = await upload.send(parts, options, given?.content);
      if (given !== undefined && !isAsRead(given, await given.handle.stat(BIG))) throw new WrittenSince();
      checkContent(key, expected, written);
      for (let untrue = 0; untrue < MOST_UNTRUE; untrue += 1) {
        const isThere = await this.#completed(upload, key, options);
        const found = await this.#seen(name, key, { write: upload.notes.write, ...written }, options);
        if (found?.write === upload.notes.write) return written;
        // Replaced since by another: that it has been there is what its completion says.
        if (isThere && found !== undefined && (before === undefined || !isSame(before, found))) return written;
      }
      throw this.#objects.untrue(`written ${key}`);
    } catch (error) {
      await this.#keep(upload, expected?.sha256, error);
      throw error;
    }
  }

  /** Keeps an upload that has failed for the next put of the same, unless it can come to nothing. */
  async #keep(upload: S3Upload, sha256: string | undefined, failure: unknown): Promise<void> {
    const isOver =
      failure instanceof ContentMismatch ||
      failure instanceof ObjectExists ||
      (failure instanceof S3Failed && failure.status === 409);
    const leaving = sha256 === undefined || isOver ? [upload] : [];
    if (sha256 !== undefined && !isOver) {
      const id = `${upload.name} ${sha256}`;
      const other = this.#unfinished.get(id);
      if (other !== undefined) leaving.push(other);
      this.#unfinished.delete(id);
      this.#unfinished.set(id, upload);
      const [oldest] = this.#unfinished;
      if (oldest !== undefined && this.#unfinished.size > MOST_UNFINISHED) {
        this.#unfinished.delete(oldest[0]);
        leaving.push(oldest[1]);
      }
    }
    for (const left of leaving) await left.abandon().catch(() => undefined);
  }

  async #completed(upload: S3Upload, key: string, options: PutOptions): Promise<boolean> {
    const { ifAbsent = false, signal, onMoved } = options;
    try {
      return await upload.complete({ ifAbsent, signal, onMoved });
    } catch (error) {
      if (isRefused(error)) throw new ObjectExists(key);
      throw error;
    }
  }

  async #uploadFor(name: string, sha256: string | undefined, { signal }: PutOptions): Promise<S3Upload> {
    const id = `${name} ${sha256}`;
    const known = this.#unfinished.get(id);
    // Two puts at once must not go on with one upload.
    this.#unfinished.delete(id);
    if (known !== undefined && (await known.resume({ signal }))) return known;
    return S3Upload.begin(this.#objects, name, { write: randomUUID(), sha256 }, { signal });
  }

  /** What is there, unless it is what `write` has put and has other bytes; these are read where the server has looked at no SHA-256. */
  async #seen(
    name: string,
    key: string,
    { write, sha256, sizeBytes }: WrittenFile & { readonly write: string },
    { signal, onMoved }: PutOptions,
  ): Promise<FoundObject | undefined> {
    const found = await this.#objects.head(name, { signal });
    if (found?.write === write && found.sizeBytes !== sizeBytes) return undefined;
    if (found?.write !== write || this.#objects.ways.checksSha256) return found;
    const hash = createHash('sha256');
    try {
      for await (const chunk of telling(readS3(this.#objects, name, key, { signal }), { onMoved })) hash.update(chunk);
    } catch (error) {
      // Another has removed it since it was seen, or it was not there.
      if (error instanceof ObjectAbsent) return undefined;
      throw error;
    }
    return hash.digest('hex') === sha256 ? found : undefined;
  }
}

/** A given file has been written since its bytes were read. */
class WrittenSince extends Error {
  override readonly name = 'WrittenSince';
}

function withoutGiven(body: ObjectBody): ObjectBody {
  return body instanceof Uint8Array || !('handle' in body) ? body : { handle: body.handle, mostBytes: body.mostBytes };
}

/** How many uploads that have failed are gone on with; those before them are given up. */
const MOST_UNFINISHED = 16;
/** S3's own limit for one request. */
const MOST_BYTES_AT_ONCE = 5 * 2 ** 30;

/** A part that was read, and those after it. */
async function* joined(first: Part, rest: AsyncIterator<Part>): AsyncGenerator<Part> {
  yield first;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}

async function* bytesOf(parts: AsyncIterable<Part>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of parts) yield bytes;
}

/** Chunks that stay valid, of just the bytes that were announced. @throws ContentMismatch, the disk's error as the cause of another */
async function* copiesOf(
  chunks: AsyncIterable<Uint8Array>,
  key: string,
  { expected }: PutOptions,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    yield Buffer.from(chunk);
  }
  checkContent(key, expected, { sizeBytes, sha256: hash.digest('hex') });
}

/** Whether it is one and the same write of an object. */
function isSame(one: FoundObject, other: FoundObject): boolean {
  return one.etag === other.etag && one.write === other.write;
}
