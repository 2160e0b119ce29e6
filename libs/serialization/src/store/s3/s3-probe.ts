import { randomUUID } from 'node:crypto';

import { type OperationOptions, type StoreProbe, StoreUnfit } from '../object-store.js';
import { digestsOf } from './s3-content.js';
import { type Condition, isRefused, type S3Objects } from './s3-objects.js';
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
    objects.put(name, Buffer.from(value), digestsOf(Buffer.from(value)), { write: value }, { ...options, condition });
  const expectValue = async (value: string): Promise<string> => {
    const found = await objects.get(name, options);
    if (found === undefined || Buffer.from(found.bytes).toString() !== value) {
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
    if (await passes(write('second', { etag: digestsOf(Buffer.from('never')).md5 }))) {
      throw unfit('it replaces an object that has another version than was expected (If-Match)');
    }
    await expectValue('first');
    objects.ways = { ...objects.ways, quotesETags: true };
    if (!(await passes(write('second', { etag: first })))) {
      objects.ways = { ...objects.ways, quotesETags: false };
      if (!(await passes(write('second', { etag: first })))) await expectValue('second');
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
    if (error instanceof S3Failed) throw new StoreUnfit(error.message, { cause: error });
    throw error;
  } finally {
    await objects.delete([name], options).catch(() => undefined);
  }
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
  const wrong = digestsOf(Buffer.from('other'));
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
