import { rm } from 'node:fs/promises';
import { denseIn, H5Dataset, writeH5Dataset } from '@longrun/fuel';
import { runCheck } from '@longrun/platform/child';
import { ndarray } from '@longrun/serialization';

/** Writes a small HDF5 file into the working directory, as conversions do, and reads it back. */
await runCheck(async () => {
  const path = 'check.hdf5';
  try {
    await writeH5Dataset(path, async (writer) => {
      await writer.append({ numbers: ndarray('uint8', [4], Uint8Array.of(3, 1, 4, 1)) });
      return { all: { numbers: { start: 0, stop: 4 } } };
    });
    const dataset = await H5Dataset.open(path, { whichSets: ['all'] });
    const { columns } = await dataset.getData({ start: 0, stop: 4 });
    await dataset.close();
    await rm(path);
    const numbers = [...denseIn(columns, 'numbers').data].join(' ');
    if (numbers !== '3 1 4 1') throw new Error(`it reads ${numbers} where 3 1 4 1 was written`);
  } catch (error) {
    throw new Error(`HDF5 does not serve: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
});
