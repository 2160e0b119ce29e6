import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolder } from './report.js';

/** Runs something with a folder on the disk that the state is on, which is gone afterwards. */
export async function withScratchFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(stateFolder, { recursive: true });
  const folder = await mkdtemp(join(stateFolder, 'bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
