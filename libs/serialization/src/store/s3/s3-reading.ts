import { Readable } from 'node:stream';

import * as S3 from '@aws-sdk/client-s3';

import { ObjectAbsent, type ReadOptions } from '../object-store.js';
import { isAbsent, type S3Objects } from './s3-objects.js';
import { S3Failed, Silence } from './s3-requests.js';

/**
 * The bytes of an object, a piece at a time. Where an answer breaks off, the rest of the same object is asked for.
 *
 * @throws ObjectAbsent; Error if it is replaced by another while it is read after a break
 */
export async function* readS3(
  objects: S3Objects,
  name: string,
  key: string,
  { range, signal }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const end = range?.end ?? Infinity;
  let position = range?.start ?? 0;
  let etag: string | undefined;
  let failures = 0;
  if (end <= position) {
    if ((await objects.head(name, { signal })) === undefined) throw absentError(objects, key);
    return;
  }
  for (;;) {
    const answer = await ask(objects, name, key, { position, end, etag, signal });
    if (answer === undefined) return;
    etag ??= answer.etag;
    try {
      for await (const chunk of moving(answer.body, objects.requests.silentMs, signal)) {
        position += chunk.byteLength;
        failures = 0;
        yield chunk;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      failures += 1;
      if (!objects.requests.isPassing(error, failures)) throw error;
    } finally {
      answer.body.destroy();
    }
    if (position >= end) return;
    await objects.requests.pause(failures, { signal });
  }
}

interface Wanted {
  readonly position: number;
  readonly end: number;
  /** Of the object of which a part was read. */
  readonly etag: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The rest of an object; undefined where nothing is left. */
async function ask(
  objects: S3Objects,
  name: string,
  key: string,
  { position, end, etag, signal }: Wanted,
): Promise<{ readonly body: Readable; readonly etag: string | undefined } | undefined> {
  const isWhole = position === 0 && end === Infinity;
  try {
    return await objects.ask(
      `read ${name}`,
      async (abortSignal) => {
        const command = new S3.GetObjectCommand({
          Bucket: objects.location.bucket,
          Key: name,
          ...(!isWhole && { Range: `bytes=${position}-${end === Infinity ? '' : end - 1}` }),
          ...(etag !== undefined && { IfMatch: etag }),
        });
        const { Body, ETag, ContentRange, $metadata } = await objects.client.send(command, { abortSignal });
        if (
          !isWhole &&
          ($metadata.httpStatusCode !== 206 || ContentRange?.startsWith(`bytes ${position}-`) === false)
        ) {
          if (Body instanceof Readable) Body.destroy();
          throw new Error(
            `object store ${objects.location.url}: the server was asked for the bytes of ${key} from ${position} on and gives others; see what it ` +
              `does with Range`,
          );
        }
        if (!(Body instanceof Readable)) throw new TypeError(`the AWS SDK has answered ${name} with no stream`);
        return { body: Body, etag: ETag };
      },
      { signal },
    );
  } catch (error) {
    if (isAbsent(error)) throw absentError(objects, key);
    if (!(error instanceof S3Failed)) throw error;
    if (error.status === 416) return undefined;
    if (error.status !== 412) throw error;
    throw new Error(`object ${key} in ${objects.location.url} was replaced while it was read; read it again`, {
      cause: error,
    });
  }
}

/** The chunks of an answer, which is broken off when nothing comes for too long. */
async function* moving(body: Readable, silentMs: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const leave = (): void => void body.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', leave);
  const chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  // The reader's time is not the server's.
  const next = async (): Promise<IteratorResult<Uint8Array, unknown>> => {
    const timer = setTimeout(() => body.destroy(new Silence(silentMs)), silentMs);
    return await chunks.next().finally(() => clearTimeout(timer));
  };
  try {
    for (let chunk = await next(); chunk.done !== true; chunk = await next()) yield chunk.value;
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}

function absentError(objects: S3Objects, key: string): ObjectAbsent {
  return new ObjectAbsent(`object ${key} is not in ${objects.location.url}`);
}
