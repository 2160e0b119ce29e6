import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Snapshot } from '../src/index.js';

/** Writes a snapshot's files to a folder of the step below `folder`. */
export async function writeSnapshotFiles(
  folder: string,
  step: number,
  contents: Readonly<Record<string, string | Uint8Array>>,
): Promise<Snapshot> {
  const stepFolder = path.join(folder, `step-${step}`);
  await mkdir(stepFolder, { recursive: true });
  const files = [];
  for (const [name, content] of Object.entries(contents)) {
    const file = path.join(stepFolder, name);
    await writeFile(file, content);
    files.push({ name, path: file });
  }
  return { step, files, environment: { engine: 'reference' } };
}
