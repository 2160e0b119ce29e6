import { createHash } from 'node:crypto';

import { CorruptBlob } from '@longrun/serialization';

import type { StoredFile } from './stored-file.js';

/**
 * The bytes of a file as they come, the last of them only if all are as they were committed: who has got as many as there are to be has the
 * file.
 *
 * @throws CorruptBlob
 */
export async function* checkedBytes(
  bytes: AsyncIterable<Uint8Array>,
  { name, sha256, sizeBytes }: Omit<StoredFile, 'read' | 'url'>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let read = 0;
  for await (const piece of bytes) {
    hash.update(piece);
    read += piece.byteLength;
    if (read > sizeBytes) break;
    if (read === sizeBytes) {
      const found = hash.copy().digest('hex');
      if (found !== sha256) {
        throw new CorruptBlob(`file ${name} has SHA-256 ${found} but ${sha256} was committed: its bytes have changed`);
      }
    }
    yield piece;
  }
  if (read !== sizeBytes)
    throw new CorruptBlob(`file ${name} has other than the ${sizeBytes} bytes that were committed`);
}
