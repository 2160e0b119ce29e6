import { CorruptInput, UnsuitableDataset } from '../errors.js';
import { hdf5Problem } from './library.js';

/** An error of reading in our words. Those of Node say all that there is to say, and ours are said already. */
export function explained(path: string, error: unknown): unknown {
  if (error instanceof CorruptInput || error instanceof UnsuitableDataset) return error;
  if (error instanceof Error && 'syscall' in error) {
    const isFolder = 'code' in error && error.code === 'EISDIR';
    return isFolder ? new CorruptInput(path, 'is a folder; give the HDF5 file', { cause: error }) : error;
  }
  const problem = `cannot be read as HDF5: ${hdf5Problem(error)}`;
  if (/memory allocation failed|unable to allocate/i.test(problem)) {
    const remedy = 'write it anew in smaller chunks, with h5repack -l, or get it anew if it is damaged';
    return new UnsuitableDataset(`${path}: ${problem}, for want of memory; ${remedy}`, { cause: error });
  }
  return new CorruptInput(path, `${problem}; the file is damaged or incomplete, get or convert it anew`, {
    cause: error,
  });
}
