/** A step that the bytes of a chunk went through before they were written. */
export interface Filter {
  /** Its number in the registry of The HDF Group. */
  readonly id: number;
  /** As the file calls it; may be empty. */
  readonly name: string;
}

export const DEFLATE = 1;
const SHUFFLE = 2;
// HDF5's own: deflate, shuffle, fletcher32, szip, n-bit, scale-offset.
const LIBRARY: ReadonlySet<number> = new Set([DEFLATE, SHUFFLE, 3, 4, 5, 6]);
/** Of elements of variable length, which HDF5 lets go through deflate alone: it leaves out the shuffle that h5py asks for. */
const OWN: ReadonlySet<number> = new Set([DEFLATE, SHUFFLE]);

/**
 * The filters of a source that this build cannot undo, as `lzf (filter 32000)`; null when it can undo all.
 *
 * @param byLibrary Whether the library reads the chunks, which knows more of them
 */
export function unknownFilters(filters: readonly Filter[], byLibrary: boolean): string | null {
  const known = byLibrary ? LIBRARY : OWN;
  const unknown = filters.filter(({ id }) => !known.has(id));
  if (unknown.length === 0) return null;
  return unknown.map(({ id, name }) => `${NAMES.get(id) ?? (name || 'unnamed')} (filter ${id})`).join(' and ');
}

/** The filters that a header's message of them lists; none where there is no message. */
export function decodeFilters(content: Buffer | undefined): readonly Filter[] {
  if (content === undefined) return [];
  const [version, count = 0] = content;
  const filters: Filter[] = [];
  let at = version === 1 ? 8 : 2;
  for (let i = 0; i < count; i += 1) {
    const id = content.readUInt16LE(at);
    // Of version 2, HDF5's own filters have no name.
    const hasName = version === 1 || id >= FIRST_FOREIGN;
    const nameBytes = hasName ? content.readUInt16LE(at + 2) : 0;
    at += hasName ? 4 : 2;
    const values = content.readUInt16LE(at + 2);
    at += 4;
    const name = content.toString('utf8', at, at + nameBytes).split('\0')[0] ?? '';
    at += version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes;
    at += 4 * (version === 1 ? values + (values % 2) : values);
    filters.push({ id, name });
  }
  return filters;
}

const FIRST_FOREIGN = 256;

const NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'fletcher32'],
  [4, 'szip'],
  [5, 'n-bit'],
  [6, 'scale-offset'],
  [305, 'lzo'],
  [307, 'bzip2'],
  [32000, 'lzf'],
  [32001, 'blosc'],
  [32004, 'lz4'],
  [32008, 'bitshuffle'],
  [32013, 'zfp'],
  [32015, 'zstandard'],
  [32026, 'blosc2'],
]);
