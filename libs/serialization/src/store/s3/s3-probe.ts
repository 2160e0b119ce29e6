import { randomUUID } from 'node:crypto';

import { type OperationOptions, type StoreProbe, StoreUnfit } from '../object-store.js';
import { DigestsOfBytes } from './s3-content.js';
import { type Condition, isRefused, type S3Objects } from './s3-objects.js';
import type { S3Location } from './s3-location.js';
import { S3Failed } from './s3-requests.js';

/**
 * Proves on an object of its own that a server does what a store needs, and notes in `objects.ways` how it wants to be spoken to.
 *
 * @throws StoreUnfit saying what it does not do
 */
export async function probeS3(objects: S3Objects, options: OperationOptions): Promise<StoreProbe> {
  const { url, prefix } = objects.location;
  const name = `${prefix}${PROBES}${randomUUID()}`;
  const unfit = (what: string): StoreUnfit =>
    new StoreUnfit(`object store ${url}: ${what}; give an S3 server with conditional writes, or a folder`);
  const write = async (value: string, condition?: Condition): Promise<string> =>
    objects.put(
      name,
      Buffer.from(value),
      new DigestsOfBytes(Buffer.from(value)),
      { write: value },
      { ...options, condition },
    );
  const holds = async (value: string): Promise<boolean> => valueOf(await objects.get(name, options)) === value;
  const expectValue = async (value: string): Promise<string> => {
    const found = await objects.get(name, options);
    if (found === undefined || valueOf(found) !== value) {
      throw unfit(`what was written last is not what is read (${found === undefined ? 'nothing' : 'another value'})`);
    }
    return found.etag;
  };
  try {
    await write('first');
    const first = await expectValue('first');
    if (await passes(write('second', { absent: true }))) {
      throw unfit('it replaces an object that was to be written only if absent (If-None-Match)');
    }
    if (await passes(write('second', { etag: new DigestsOfBytes(Buffer.from('never')).md5 }))) {
      throw unfit('it replaces an object that has another version than was expected (If-Match)');
    }
    await expectValue('first');
    for (const quotesETags of [true, false]) {
      objects.ways = { ...objects.ways, quotesETags };
      // Refused where it was written by a request of which no answer has come.
      if ((await passes(write('second', { etag: first }))) || (await holds('second'))) break;
    }
    await expectValue('second');
    if (await passes(write('third', { etag: first }))) {
      throw unfit('it replaces an object by the version that it had before (If-Match)');
    }
    const notes = await findChecks(objects, name, options);
    await objects.delete([name], options);
    if ((await objects.get(name, options)) !== undefined) throw unfit('an object that was removed is read');
    return { notes };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error instanceof StoreUnfit ? error : asUnfit(error, objects.location);
  } finally {
    await objects.delete([name], options).catch(() => undefined);
  }
}

/**
 * Proves that a server answers, without writing: what it answers is not judged, as some may read its objects who may not ask for those that there are not.
 *
 * @throws StoreUnfit saying why it cannot be asked
 */
export async function probeS3Reading(objects: S3Objects, options: OperationOptions): Promise<void> {
  try {
    await objects.head(`${objects.location.prefix}${PROBES}none`, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof S3Failed && error.status !== undefined) return;
    throw asUnfit(error, objects.location);
  }
}

function asUnfit(error: unknown, location: S3Location): StoreUnfit {
  if (error instanceof S3Failed) return new StoreUnfit(error.message, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreUnfit(`object store ${location.url}: ${reason}; ${remedyOf(error, location)}`, { cause: error });
}

/** What to do where not even a request could be made. */
function remedyOf(error: unknown, { region }: S3Location): string {
  if (error instanceof Error && error.name === 'CredentialsProviderError') {
    return 'give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another source of credentials that the AWS SDK knows';
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/CERT|TLS|SSL/u.test(code)) return 'name the authority that has signed its certificate in NODE_EXTRA_CA_CERTS';
  if (region === undefined)
    return 'say where the bucket is, as s3://bucket/prefix?region=eu-central-1 or by AWS_REGION';
  return 'see that the endpoint is right and answers';
}

function valueOf(found: { readonly bytes: Uint8Array } | undefined): string | undefined {
  return found === undefined ? undefined : Buffer.from(found.bytes).toString();
}

/** Whether the server has let a write pass. */
async function passes(writing: Promise<string>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/** Finds which of wrong checksums the server refuses. */
async function findChecks(objects: S3Objects, name: string, options: OperationOptions): Promise<readonly string[]> {
  const bytes = Buffer.from('third');
  const wrong = new DigestsOfBytes(Buffer.from('other'));
  const refuses = async (checksSha256: boolean): Promise<boolean> => {
    objects.ways = { ...objects.ways, checksSha256 };
    return objects.put(name, bytes, wrong, { write: 'third' }, options).then(
      () => false,
      (error: unknown) => {
        if (error instanceof S3Failed && error.status === 400) return true;
        throw error;
      },
    );
  };
  if (await refuses(true)) return [];
  const instead = (await refuses(false)) ? 'Content-MD5 and reading back stand in' : 'reading back stands in';
  return [`object store ${objects.location.url}: the server checks no SHA-256 of what it is sent; ${instead}`];
}

/** No key of an object begins with a dot. */
const PROBES = '.longrun/probes/';
