import { createHash } from 'node:crypto';

import * as S3 from '@aws-sdk/client-s3';

import type { WrittenFile } from '../../durable-file.js';
import { checkKey, InvalidKey } from '../object-key.js';
import type { OperationOptions, TransferOptions } from '../object-store.js';
import { DigestsOfBytes, type Part } from './s3-content.js';
import { isAbsent, metadataOf, type Notes, type S3Objects, unquoted } from './s3-objects.js';

/** An object that is written in several requests, and is there when it is completed. */
export class S3Upload {
  readonly name: string;
  readonly notes: Notes;
  readonly #objects: S3Objects;
  readonly #id: string;
  /** What the server has, by number. */
  readonly #parts = new Map<number, StoredPart>();
  #lastNumber = 0;

  private constructor(objects: S3Objects, name: string, notes: Notes, id: string) {
    this.#objects = objects;
    this.name = name;
    this.notes = notes;
    this.#id = id;
  }

  static async begin(objects: S3Objects, name: string, notes: Notes, options: OperationOptions): Promise<S3Upload> {
    const { bucket } = objects.location;
    const { UploadId } = await objects.ask(
      `begin to write ${name}`,
      async (abortSignal) => {
        const command = new S3.CreateMultipartUploadCommand({
          Bucket: bucket,
          Key: name,
          Metadata: metadataOf(notes),
          ...(objects.ways.checksSha256 && { ChecksumAlgorithm: 'SHA256' }),
        });
        return await objects.client.send(command, { abortSignal });
      },
      options,
    );
    if (UploadId === undefined) throw new Error(`object store ${objects.location.url}: an upload of ${name} has no id`);
    return new S3Upload(objects, name, notes, UploadId);
  }

  /** Whether the server still has it, and which parts of it: those need not be sent again. */
  async resume(options: OperationOptions): Promise<boolean> {
    this.#parts.clear();
    let marker: string | undefined;
    try {
      do {
        const listed = await this.#objects.ask(
          `go on to write ${this.name}`,
          async (abortSignal) => {
            const command = new S3.ListPartsCommand({ ...this.#fields, PartNumberMarker: marker });
            return await this.#objects.client.send(command, { abortSignal });
          },
          options,
        );
        for (const { PartNumber, ETag, Size, ChecksumSHA256 } of listed.Parts ?? []) {
          if (PartNumber === undefined || Size === undefined) continue;
          this.#parts.set(PartNumber, { etag: unquoted(ETag), sizeBytes: Size, ChecksumSHA256 });
        }
        marker = listed.IsTruncated === true ? listed.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }

  /**
   * Sends the parts, several at a time, and answers what they are in all.
   *
   * @param known The SHA-256 that they have in all, which is not taken then
   */
  async send(
    parts: AsyncIterable<Part>,
    { signal, onMoved }: TransferOptions,
    known?: Pick<WrittenFile, 'sha256'>,
  ): Promise<WrittenFile> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const failed = new AbortController();
    const end = (): void => failed.abort(signal?.reason);
    signal?.addEventListener('abort', end);
    const underWay = new Set<Promise<void>>();
    try {
      for await (const part of parts) {
        failed.signal.throwIfAborted();
        if (known === undefined) hash.update(part.bytes);
        sizeBytes += part.bytes.byteLength;
        this.#lastNumber = part.number;
        if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay);
        const sending: Promise<void> = this.#sendPart(part, { signal: failed.signal, onMoved })
          .then(onMoved, (error: unknown) => failed.abort(error))
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
      }
      await Promise.all(underWay);
      failed.signal.throwIfAborted();
      return { sha256: known?.sha256 ?? hash.digest('hex'), sizeBytes };
    } catch (error) {
      failed.abort(error);
      throw error;
    } finally {
      await Promise.all(underWay);
      signal?.removeEventListener('abort', end);
    }
  }

  /**
   * Makes the object of the parts that were sent last.
   *
   * @param options.ifAbsent Not every server heeds it here
   * @returns false if the server has no such upload any more: it may have been completed by a request of which no answer has come
   */
  async complete(options: TransferOptions & { readonly ifAbsent: boolean }): Promise<boolean> {
    const Parts = [...this.#parts]
      .filter(([number]) => number <= this.#lastNumber)
      .toSorted(([a], [b]) => a - b)
      .map(([PartNumber, { etag, ChecksumSHA256 }]) => ({
        PartNumber,
        ETag: etag,
        ...(ChecksumSHA256 !== undefined && { ChecksumSHA256 }),
      }));
    try {
      await this.#objects.ask(
        `write ${this.name}`,
        async (abortSignal, moved) => {
          const command = new S3.CompleteMultipartUploadCommand({
            ...this.#fields,
            MultipartUpload: { Parts },
            ...(options.ifAbsent && { IfNoneMatch: '*' }),
          });
          await this.#objects.client.send(command, { abortSignal });
          moved();
        },
        // A server may say nothing while it joins thousands of parts.
        { ...options, silences: 5 },
      );
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }

  /** Removes what was sent. */
  async abandon(): Promise<void> {
    await abandonUpload(this.#objects, this.name, this.#id, {});
  }

  async #sendPart({ number, bytes, release }: Part, options: TransferOptions): Promise<void> {
    const digests = new DigestsOfBytes(bytes);
    const stored = this.#parts.get(number);
    if (stored?.sizeBytes === bytes.byteLength && stored.etag === digests.md5) return release();
    const { ETag } = await this.#objects.sendContent(
      `write part ${number} of ${this.name}`,
      bytes,
      async (content, abortSignal) => {
        const command = new S3.UploadPartCommand({
          ...this.#fields,
          PartNumber: number,
          ...content,
          ...this.#objects.checksums(digests),
        });
        return await this.#objects.client.send(command, { abortSignal });
      },
      options,
    );
    const { ChecksumSHA256 } = this.#objects.checksums(digests);
    this.#parts.set(number, { etag: unquoted(ETag), sizeBytes: bytes.byteLength, ChecksumSHA256 });
    // Not where it has failed: what of it is still on its way must not change.
    release();
  }

  get #fields(): { readonly Bucket: string; readonly Key: string; readonly UploadId: string } {
    return { Bucket: this.#objects.location.bucket, Key: this.name, UploadId: this.#id };
  }
}

interface StoredPart {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly ChecksumSHA256?: string | undefined;
}

/** Removes the uploads of the store's objects that were begun at least so long ago, in ms, and answers how many there were. */
export async function sweepUploads(
  objects: S3Objects,
  olderThanMs: number,
  options: OperationOptions,
): Promise<number> {
  let swept = 0;
  let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (after !== undefined) {
    const { KeyMarker, UploadIdMarker } = after;
    const listed: S3.ListMultipartUploadsCommandOutput = await objects.ask(
      'list what is being written',
      async (abortSignal) => {
        const { bucket, prefix } = objects.location;
        const command = new S3.ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          KeyMarker,
          UploadIdMarker,
        });
        return await objects.client.send(command, { abortSignal });
      },
      options,
    );
    for (const { Key, UploadId, Initiated } of listed.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      if (!isKey(Key.slice(objects.location.prefix.length))) continue;
      if (Date.now() - Initiated.getTime() < olderThanMs) continue;
      await abandonUpload(objects, Key, UploadId, options);
      swept += 1;
    }
    after =
      listed.IsTruncated === true
        ? { KeyMarker: listed.NextKeyMarker, UploadIdMarker: listed.NextUploadIdMarker }
        : undefined;
  }
  return swept;
}

/** Whether it could be an object of the store's; what others write into its bucket is theirs. */
function isKey(name: string): boolean {
  try {
    checkKey(name);
    return true;
  } catch (error) {
    if (error instanceof InvalidKey) return false;
    throw error;
  }
}

async function abandonUpload(
  objects: S3Objects,
  Key: string,
  UploadId: string,
  options: OperationOptions,
): Promise<void> {
  try {
    await objects.ask(
      `give up writing ${Key}`,
      async (abortSignal) => {
        const command = new S3.AbortMultipartUploadCommand({ Bucket: objects.location.bucket, Key, UploadId });
        return await objects.client.send(command, { abortSignal });
      },
      options,
    );
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

const PARTS_AT_ONCE = 4;
