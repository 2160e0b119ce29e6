/**
 * How the C library of a trainer gets memory from the system, as environment variables. A training step allocates and frees the whole
 * state in large pieces: glibc would map each anew, and the system clear it page by page. Kept memory in huge pages takes a third off the
 * time of a step; the more so on a virtual machine whose host takes back what its guest has free. glibc older than 2.35, and other C
 * libraries, ignore what they do not know of it.
 *
 * What the worker's own environment says of these stays as it is there.
 */
export function trainerEnvironment(ofWorker: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(ALLOCATOR).map(([name, value]) => [name, ofWorker[name] ?? value]));
}

const MEBIBYTE = 2 ** 20;

const ALLOCATOR = {
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  /** Free memory at the end of the heap that is kept: all. */
  MALLOC_TRIM_THRESHOLD_: String(MEBIBYTE * MEBIBYTE),
  /** Pieces that are mapped for themselves, as those of more than 32 MiB would be whatever the threshold: none. */
  MALLOC_MMAP_MAX_: '0',
  /** Heaps for all threads together: what each has free of its own is of no use to the others. */
  MALLOC_ARENA_MAX: '1',
  /** By how much the heap grows at least. */
  MALLOC_TOP_PAD_: String(32 * MEBIBYTE),
};
