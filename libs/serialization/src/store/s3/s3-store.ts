import * as S3 from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

import type { WrittenFile } from '../../durable-file.js';
import { downloadTo } from '../object-body.js';
import { checkKey, checkPrefix, REGISTER_SUFFIX } from '../object-key.js';
import {
  DeletionFailed,
  type DownloadUrlOptions,
  type ListedObject,
  ObjectAbsent,
  type ObjectBody,
  type ObjectFacts,
  type ObjectStore,
  type OperationOptions,
  type PutOptions,
  type ReadOptions,
  type RegisterValue,
  type StoreProbe,
  type TransferOptions,
} from '../object-store.js';
import { PREAMBLE_BYTES } from '../register-generation.js';
import type { S3Location } from './s3-location.js';
import { sweepUploads } from './s3-multipart.js';
import { S3Objects } from './s3-objects.js';
import { probeS3, probeS3Reading } from './s3-probe.js';
import { readS3 } from './s3-reading.js';
import { S3Register } from './s3-register.js';
import { S3Failed, type S3Patience, S3Requests } from './s3-requests.js';
import { S3Writing } from './s3-writing.js';

export interface S3StoreOptions extends S3Patience {
  /** Of how many objects one request may be, to list or to remove them. Default 1,000, which S3 allows. */
  readonly mostKeys?: number | undefined;
  /** How long ago an upload in parts was begun that is swept, in ms. Default: a week. */
  readonly abandonedMs?: number | undefined;
}

/**
 * An object store in a bucket of an S3 server with conditional writes, for any number of processes anywhere: an object is one of the
 * bucket's, a register `head.json` one named `head.json~` (see {@link S3Register}). To be used once it is probed.
 *
 * What it says that it has written it has seen there. Objects of more than 5 GiB are put under `ifAbsent` by what the server does with
 * conditions on uploads in parts, which some do not heed: of two that put one at once both may succeed there.
 */
export class S3Store implements ObjectStore {
  readonly url: string;
  readonly takesFiles = false;
  readonly #objects: S3Objects;
  readonly #writing: S3Writing;
  readonly #mostKeys: number;
  readonly #abandonedMs: number;

  constructor(location: S3Location, { mostKeys = 1_000, abandonedMs = WEEK_MS, ...patience }: S3StoreOptions = {}) {
    this.url = location.url;
    this.#mostKeys = mostKeys;
    this.#abandonedMs = abandonedMs;
    this.#objects = new S3Objects(location, new S3Requests(patience));
    this.#writing = new S3Writing(this.#objects);
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of this.openRead(key, options)) pieces.push(piece);
    } catch (error) {
      if (error instanceof ObjectAbsent) return undefined;
      throw error;
    }
    const bytes = Buffer.concat(pieces);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async *openRead(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    yield* readS3(this.#objects, this.#name(key), key, options);
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectFacts | undefined> {
    const found = await this.#objects.head(this.#name(key), options);
    return found === undefined ? undefined : { sizeBytes: found.sizeBytes, sha256: found.sha256 };
  }

  async download(key: string, target: string, options: TransferOptions = {}): Promise<WrittenFile | undefined> {
    checkKey(key);
    return downloadTo(target, this.openRead(key, options), options);
  }

  async downloadUrl(key: string, { validMs, fileName, signal }: DownloadUrlOptions): Promise<string | undefined> {
    const name = this.#name(key);
    signal?.throwIfAborted();
    if (!(validMs >= 1_000 && validMs <= LONGEST_VALID_MS)) {
      throw new RangeError(
        `download URL of ${key}: validMs is ${validMs}; give 1,000 to ${LONGEST_VALID_MS} (seven days), as S3 has it`,
      );
    }
    const command = new S3.GetObjectCommand({
      Bucket: this.#objects.location.bucket,
      Key: name,
      ...(fileName !== undefined && { ResponseContentDisposition: `attachment; filename="${fileName}"` }),
    });
    return getSignedUrl(this.#objects.client, command, { expiresIn: Math.floor(validMs / 1_000) });
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<WrittenFile> {
    return this.#writing.put(this.#name(key), key, body, options);
  }

  async readRegister(key: string, options: OperationOptions = {}): Promise<RegisterValue | undefined> {
    return this.#register(key).read(options);
  }

  async compareAndSet(
    key: string,
    expected: string | null,
    bytes: Uint8Array,
    options: OperationOptions = {},
  ): Promise<string> {
    return this.#register(key).compareAndSet(expected, bytes, options);
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<ListedObject> {
    checkPrefix(prefix);
    const { bucket, prefix: root } = this.#objects.location;
    let token: string | undefined;
    do {
      const page: S3.ListObjectsV2CommandOutput = await this.#objects.ask(
        `list ${root}${prefix}`,
        async (abortSignal) => {
          const Prefix = `${root}${prefix}`;
          const command = new S3.ListObjectsV2Command({
            Bucket: bucket,
            Prefix,
            ContinuationToken: token,
            MaxKeys: this.#mostKeys,
          });
          return await this.#objects.client.send(command, { abortSignal });
        },
        options,
      );
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const listed = listedAs(Key.slice(root.length), Size);
        if (listed?.key.startsWith(prefix) === true) yield listed;
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[], options: TransferOptions = {}): Promise<void> {
    const keysOfNames = new Map(
      keys.flatMap((key) => [this.#name(key), this.#registerName(key)].map((name) => [name, key])),
    );
    const names = [...keysOfNames.keys()];
    const reasons = new Map<string, string>();
    options.signal?.throwIfAborted();
    for (let start = 0; start < names.length; start += this.#mostKeys) {
      for (const { name, reason } of await this.#deleteSome(names.slice(start, start + this.#mostKeys), options)) {
        reasons.set(keysOfNames.get(name) ?? name, reason);
      }
      options.onMoved?.();
    }
    const [first, ...others] = [...reasons].map(([key, reason]) => ({ key, reason }));
    if (first !== undefined) throw new DeletionFailed(this.url, [first, ...others]);
  }

  /** Proves that it can be asked, and writes nothing. @throws StoreUnfit */
  async probeReading(options: OperationOptions = {}): Promise<void> {
    return probeS3Reading(this.#objects, options);
  }

  async probe(options: OperationOptions = {}): Promise<StoreProbe> {
    return probeS3(this.#objects, options);
  }

  /** Uploads in parts, of keys of its own, that were begun long ago. */
  async sweep(options: OperationOptions = {}): Promise<number> {
    return sweepUploads(this.#objects, this.#abandonedMs, options);
  }

  async #deleteSome(
    names: readonly string[],
    options: OperationOptions,
  ): Promise<readonly { readonly name: string; readonly reason: string }[]> {
    try {
      return await this.#objects.delete(names, options);
    } catch (error) {
      if (!(error instanceof S3Failed)) throw error;
      return names.map((name) => ({ name, reason: error.message }));
    }
  }

  #register(key: string): S3Register {
    return new S3Register(this.#objects, this.#registerName(key), key);
  }

  #registerName(key: string): string {
    return `${this.#name(key)}${REGISTER_SUFFIX}`;
  }

  #name(key: string): string {
    checkKey(key);
    return `${this.#objects.location.prefix}${key}`;
  }
}

/** What a store lists of a name below its prefix; undefined for what is its own. */
function listedAs(name: string, sizeBytes: number): ListedObject | undefined {
  if (name.split('/').some((segment) => segment === '' || segment.startsWith('.'))) return undefined;
  if (!name.endsWith(REGISTER_SUFFIX)) return { key: name, sizeBytes };
  return { key: name.slice(0, -REGISTER_SUFFIX.length), sizeBytes: sizeBytes - PREAMBLE_BYTES };
}

/** S3's own limit. */
const LONGEST_VALID_MS = 7 * 24 * 60 * 60_000;
const WEEK_MS = 7 * 24 * 60 * 60_000;
