import type { ByteRange } from '@longrun/serialization';

/** A file that is there with the right size. */
export interface StoredFile {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /**
   * Its bytes, a piece at a time; each piece is valid only until the next is asked for. Whoever reads all of them gets the last ones only if all are as
   * they were put there; of a range nothing is compared.
   *
   * @throws RequestRefused where it is damaged, ObjectsUnreachable
   */
  read(range?: ByteRange): AsyncGenerator<Uint8Array>;
}
