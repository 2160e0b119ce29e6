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
  /**
   * A URL from which anybody can fetch it, or ranges of it, for {@link URL_VALID_MS}; undefined where the store has none. What was asked for by then can be
   * read to its end. Nothing is compared on the way.
   *
   * @throws RequestRefused where it cannot be kept for so long, ObjectsUnreachable
   */
  url(): Promise<string | undefined>;
}

/** Whoever was given a URL asks it at once; a machine may be asleep, or its clock wrong by some minutes. */
export const URL_VALID_MS = 600_000;
