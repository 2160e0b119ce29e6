import { Readable } from 'node:stream';

import * as S3 from '@aws-sdk/client-s3';

import type { OperationOptions, TransferOptions } from '../object-store.js';
import type { Digests } from './s3-content.js';
import type { S3Location } from './s3-location.js';
import { type AskOptions, S3Failed, type S3Requests } from './s3-requests.js';

/** What a server does otherwise than S3 of AWS; `probeS3` finds it out. */
export interface S3Ways {
  /** Whether it refuses bytes that have another SHA-256 than was said. */
  readonly checksSha256: boolean;
  /** Whether the version that a write is to replace stands in quotes. */
  readonly quotesETags: boolean;
}

/** Who wrote an object, and what, as noted with it. */
export interface Notes {
  /** Unique to the write. */
  readonly write: string;
  readonly sha256?: string | undefined;
}

export interface FoundObject {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly write: string | undefined;
  readonly sha256: string | undefined;
}

/** A condition of a write: that nothing is there, or that what is there has this ETag. */
export type Condition = { readonly absent: true } | { readonly etag: string };

/** The requests that a store makes of its bucket, under names of that bucket. */
export class S3Objects {
  readonly client: S3.S3Client;
  readonly requests: S3Requests;
  readonly location: S3Location;
  ways: S3Ways = { checksSha256: true, quotesETags: true };

  constructor(location: S3Location, requests: S3Requests) {
    this.location = location;
    this.requests = requests;
    const { endpoint, region, pathStyle, credentials } = location;
    this.client = new S3.S3Client({
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(credentials !== undefined && {
        credentials: {
          accessKeyId: credentials.accessKeyId,
          secretAccessKey: credentials.secretAccessKey,
          ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
        },
      }),
      forcePathStyle: pathStyle,
      // Tried again by `S3Requests`, which has to know of answers that were lost.
      maxAttempts: 1,
      // What goes beyond is not understood by every server, or is stored as part of the object.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Whoever has asked hears of what fails.
      logger: SILENT,
    });
  }

  /** Writes an object in one request, and returns its ETag. @throws S3Failed: {@link isRefused} where the condition does not hold */
  async put(
    name: string,
    body: ObjectContent,
    digests: Digests,
    notes: Notes,
    options: TransferOptions & { readonly condition?: Condition | undefined },
  ): Promise<string> {
    const { condition } = options;
    const send: Send<S3.PutObjectCommandOutput> = async (content, abortSignal) => {
      const command = new S3.PutObjectCommand({
        Bucket: this.location.bucket,
        Key: name,
        ...content,
        ...this.checksums(digests),
        ...this.#conditionFields(condition),
        Metadata: metadataOf(notes),
      });
      return await this.client.send(command, { abortSignal });
    };
    const sent = await this.sendContent(`write ${name}`, body, send, options);
    return unquoted(sent.ETag);
  }

  /** What is known of an object, or undefined if there is none. */
  async head(name: string, options: OperationOptions): Promise<FoundObject | undefined> {
    const found = await this.#unlessAbsent(async () =>
      this.ask(
        `look at ${name}`,
        async (abortSignal) => {
          const command = new S3.HeadObjectCommand({ Bucket: this.location.bucket, Key: name });
          return await this.client.send(command, { abortSignal });
        },
        options,
      ),
    );
    return found === undefined ? undefined : foundIn(found);
  }

  /** A small object, or undefined if there is none. */
  async get(
    name: string,
    options: OperationOptions,
  ): Promise<(FoundObject & { readonly bytes: Uint8Array }) | undefined> {
    return this.#unlessAbsent(async () =>
      this.ask(
        `read ${name}`,
        async (abortSignal) => {
          const command = new S3.GetObjectCommand({ Bucket: this.location.bucket, Key: name });
          const got = await this.client.send(command, { abortSignal });
          const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array(0);
          return { ...foundIn(got), bytes };
        },
        options,
      ),
    );
  }

  /** Removes objects, 1,000 at most, and says of which it did not do. */
  async delete(
    names: readonly string[],
    options: OperationOptions,
  ): Promise<readonly { readonly name: string; readonly reason: string }[]> {
    const { Errors = [] } = await this.ask(
      `delete ${names.length} objects`,
      async (abortSignal) => {
        const command = new S3.DeleteObjectsCommand({
          Bucket: this.location.bucket,
          Delete: { Objects: names.map((Key) => ({ Key })), Quiet: true },
        });
        return await this.client.send(command, { abortSignal });
      },
      options,
    );
    return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key = '', Code = '', Message = '' }) => ({
      name: Key,
      reason: `${Code} ${Message}`.trim(),
    }));
  }

  /** As `S3Requests.ask`, for this store. */
  async ask<T>(
    what: string,
    request: (signal: AbortSignal, moved: () => void) => Promise<T>,
    options: AskOptions,
  ): Promise<T> {
    return this.requests.ask(`object store ${this.location.url}: ${what}`, request, options);
  }

  /** What there is to say of a server that is found untrue {@link MOST_UNTRUE} times. @param done what it says that it has done: `written k` */
  untrue(done: string): Error {
    return new Error(
      `object store ${this.location.url}: the server says that it has ${done} and has not, ${MOST_UNTRUE} times; see what it does`,
    );
  }

  /** What is said of bytes that are sent: what the server looks at. */
  checksums(digests: Digests): Partial<Digests> {
    if (this.ways.checksSha256) return { ChecksumSHA256: digests.ChecksumSHA256 };
    return { ContentMD5: digests.ContentMD5 };
  }

  /** Asks for something with bytes, which go a slice at a time where they are many: so a slow way is told from one that is cut. */
  async sendContent<T>(what: string, content: ObjectContent, send: Send<T>, options: TransferOptions): Promise<T> {
    return this.ask(
      what,
      async (abortSignal, moved) => {
        if (content instanceof Uint8Array) {
          if (content.byteLength <= SLICE_BYTES) return await send({ Body: content }, abortSignal);
          const body = Readable.from(slicesOf(content, moved), { objectMode: false, highWaterMark: SLICE_BYTES });
          return await this.#sendStream(body, content.byteLength, abortSignal, send);
        }
        return await this.#sendStream(content.make(moved), content.sizeBytes, abortSignal, send);
      },
      options,
    );
  }

  /** Sends a stream, and breaks off when it fails, with its own error. */
  async #sendStream<T>(body: Readable, sizeBytes: number, signal: AbortSignal, send: Send<T>): Promise<T> {
    const over = new AbortController();
    const end = (): void => over.abort(signal.reason);
    signal.addEventListener('abort', end);
    let failure: Error | undefined;
    body.once('error', (error) => {
      failure = error;
      over.abort(error);
    });
    try {
      return await send({ Body: body, ContentLength: sizeBytes }, over.signal);
    } catch (error) {
      if (failure === undefined) throw error;
      // A disk's error is not the server's, whose requests are made again.
      throw 'code' in failure ? new Error('what was to be stored cannot be read', { cause: failure }) : failure;
    } finally {
      signal.removeEventListener('abort', end);
      body.destroy();
    }
  }

  #conditionFields(condition: Condition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
    if (condition === undefined) return {};
    if ('absent' in condition) return { IfNoneMatch: '*' };
    return { IfMatch: this.ways.quotesETags ? `"${condition.etag}"` : condition.etag };
  }

  async #unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }
}

/** The bytes of a request, or what makes so many of them anew for each time that it is made. */
export type ObjectContent = Uint8Array | { readonly sizeBytes: number; readonly make: (moved: () => void) => Readable };

/** Makes a request with the bytes once. */
type Send<T> = (
  content: { readonly Body: Uint8Array | Readable; readonly ContentLength?: number },
  signal: AbortSignal,
) => Promise<T>;

/** The bytes in slices; of each is told when the next is asked for. */
function* slicesOf(bytes: Uint8Array, moved: () => void): Generator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += SLICE_BYTES) {
    yield bytes.subarray(start, start + SLICE_BYTES);
    moved();
  }
}

const SLICE_BYTES = 64 << 10;

/** How often a server may say that it has written what it has not. */
export const MOST_UNTRUE = 3;

/** Whether an object is not there. A bucket that is not is another matter. */
export function isAbsent(error: unknown): boolean {
  return error instanceof S3Failed && error.status === 404 && error.code !== 'NoSuchBucket';
}

/** Whether the condition of a write did not hold. */
export function isRefused(error: unknown): error is S3Failed {
  return error instanceof S3Failed && (error.status === 412 || (error.status === 404 && isAbsent(error)));
}

/** An ETag as it is compared. */
export function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

export function metadataOf({ write, sha256 }: Notes): Record<string, string> {
  return { [WRITE]: write, ...(sha256 !== undefined && { [SHA256]: sha256 }) };
}

function foundIn(answer: {
  readonly ETag?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}): FoundObject {
  return {
    etag: unquoted(answer.ETag),
    sizeBytes: answer.ContentLength ?? 0,
    write: answer.Metadata?.[WRITE],
    sha256: answer.Metadata?.[SHA256],
  };
}

const SILENT = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const WRITE = 'longrun-write';
const SHA256 = 'longrun-sha256';
