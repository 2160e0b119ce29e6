import { join } from 'node:path';
import { writeH5Dataset } from '@longrun/fuel';
import { ndarray } from '@longrun/serialization';

/** Bytes that are appended at a time. */
const PART = 64 << 20;

/** The most memory in MB that a process has had by the time that it has written so many bytes to a dataset. */
export async function memoryOfWriting(folder: string, bytes: number): Promise<number> {
  const width = 1 << 20;
  const part = ndarray('uint8', [PART / width, width], new Uint8Array(PART).fill(7));
  const parts = Math.ceil(bytes / PART);
  await writeH5Dataset(join(folder, 'written.hdf5'), async (writer) => {
    for (let count = 0; count < parts; count += 1) await writer.append({ features: part });
    const rows = { start: 0, stop: (parts * PART) / width };
    return { train: { features: rows } };
  });
  return process.resourceUsage().maxRSS / 1_000;
}
