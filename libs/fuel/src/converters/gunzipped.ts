import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CorruptInput, MissingInput } from '../errors.js';

/**
 * The content of a gzip file in pieces; its checksum is verified at the end.
 *
 * @throws MissingInput when there is no such file; CorruptInput when it is not gzip, or not all of it
 */
export async function* gunzipped(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = createReadStream(path);
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    const pieces: AsyncIterable<Buffer> = gunzip;
    yield* pieces;
  } catch (error) {
    throw explained(path, error);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

const PIECE_BYTES = 1 << 18;

function explained(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error.code === 'ENOENT')
    return new MissingInput(`${path} does not exist; download it first`, [path], { cause: error });
  // zlib's codes: Z_DATA_ERROR for a flipped bit or a wrong checksum, Z_BUF_ERROR for a file that ends too early.
  if (!error.code.startsWith('Z_')) return error;
  return new CorruptInput(path, `is not a whole gzip file: ${error.message}; download it again`, { cause: error });
}
