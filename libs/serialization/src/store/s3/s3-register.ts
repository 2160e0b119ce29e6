import { randomUUID } from 'node:crypto';

import { type OperationOptions, PreconditionFailed, type RegisterValue } from '../object-store.js';
import { decodeGeneration, encodeGeneration, type Generation, MOST_EARLIER } from '../register-generation.js';
import { DigestsOfBytes } from './s3-content.js';
import { isRefused, MOST_UNTRUE, type S3Objects } from './s3-objects.js';
import type { S3Failed } from './s3-requests.js';

/**
 * A register in an object, set by conditional writes. Its value names the setting of it and those before, so that no two have one ETag, and
 * whoever has lost an answer can tell whether its own value was set, also when some others have been set since.
 */
export class S3Register {
  readonly #objects: S3Objects;
  readonly #name: string;
  readonly #key: string;

  /** @param name of the object; @param key of the register, for errors */
  constructor(objects: S3Objects, name: string, key: string) {
    this.#objects = objects;
    this.#name = name;
    this.#key = key;
  }

  async read(options: OperationOptions): Promise<RegisterValue | undefined> {
    const found = await this.#load(options);
    return found === undefined ? undefined : { bytes: found.bytes, version: versionOf(found.etag, lineOf(found)) };
  }

  /** Sets the value if its version is `expected`, and has seen it there. */
  async compareAndSet(expected: string | null, bytes: Uint8Array, options: OperationOptions): Promise<string> {
    const { etag, line } = parseVersion(expected);
    const [predecessor = null, ...older] = line;
    const id = randomUUID();
    const earlier = older.slice(0, MOST_EARLIER);
    const content = Buffer.concat(encodeGeneration({ id, predecessor, earlier, bytes }));
    const condition = etag === undefined ? ({ absent: true } as const) : { etag };
    for (let untrue = 0; untrue < MOST_UNTRUE; untrue += 1) {
      let refusal: S3Failed | undefined;
      try {
        await this.#objects.put(
          this.#name,
          content,
          new DigestsOfBytes(content),
          { write: id },
          { ...options, condition },
        );
      } catch (error) {
        if (!isRefused(error)) throw error;
        refusal = error;
      }
      const found = await this.#load(options);
      const since = found === undefined ? [] : lineOf(found);
      // If others have been set since, it is a version that the register never has again.
      if (since.includes(id)) return versionOf(found?.id === id ? found.etag : REPLACED, [id, ...line]);
      if ((since[0] ?? null) === predecessor) {
        if (refusal !== undefined) throw refusal.mayBeDone ? this.#unknown(refusal) : this.#refusedWrongly(refusal);
        // As it was before: whoever said that it had been set had not set it.
        continue;
      }
      if (refusal?.mayBeDone === false) throw new PreconditionFailed(this.#key, expected);
      const isFollowed = predecessor === null ? since.length <= MOST_EARLIER + 1 : since.includes(predecessor);
      throw isFollowed ? new PreconditionFailed(this.#key, expected) : this.#unknown(refusal);
    }
    throw this.#objects.untrue(`set register ${this.#key}`);
  }

  async #load(options: OperationOptions): Promise<(Generation & { readonly etag: string }) | undefined> {
    const found = await this.#objects.get(this.#name, options);
    if (found === undefined) return undefined;
    const what = `register ${this.#key} in ${this.#objects.location.url}`;
    return { ...decodeGeneration(what, Buffer.from(found.bytes)), etag: found.etag };
  }

  #refusedWrongly(cause: S3Failed): Error {
    return new Error(
      `object store ${this.#objects.location.url}: the server refuses to set register ${this.#key}, though it has the version that is to be ` +
        `replaced; see what it does with If-Match and If-None-Match`,
      { cause },
    );
  }

  #unknown(cause: unknown): Error {
    return new Error(
      `object store ${this.#objects.location.url}: an answer was lost, and whether register ${this.#key} has been set cannot be told; ` +
        `read it again`,
      { cause },
    );
  }
}

/** No ETag. */
const REPLACED = 'replaced';

/** Ids of a generation and those before it, as far as it names them, newest first. */
function lineOf({ id, predecessor, earlier = [] }: Generation): readonly string[] {
  return [id, ...(predecessor === null ? [] : [predecessor, ...earlier])];
}

function versionOf(etag: string, line: readonly string[]): string {
  return [etag, ...line.slice(0, MOST_EARLIER + 1)].join('/');
}

function parseVersion(version: string | null): { readonly etag: string | undefined; readonly line: readonly string[] } {
  const [etag, ...line] = version?.split('/') ?? [];
  return { etag, line };
}
