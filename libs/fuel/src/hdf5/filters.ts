/** A step that the bytes of a chunk went through before they were written. */
export interface Filter {
  /** Its number in the registry of The HDF Group. */
  readonly id: number;
  /** As the file calls it; may be empty. */
  readonly name: string;
}

/** The filters of a source that this build cannot undo, as `lzf (filter 32000)`; null when it can undo all. */
export function unknownFilters(filters: readonly Filter[]): string | null {
  const unknown = filters.filter(({ id }) => !BUILT_IN.has(id));
  if (unknown.length === 0) return null;
  return unknown.map(({ id, name }) => `${NAMES.get(id) ?? (name || 'unnamed')} (filter ${id})`).join(' and ');
}

// HDF5's own: deflate, shuffle, fletcher32, szip, n-bit, scale-offset.
const BUILT_IN: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6]);

const NAMES: ReadonlyMap<number, string> = new Map([
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
