import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { encodeLogEntry, type LogEntry, type LogFile, type Manifest, type ObjectStore, readLog } from '../src/index.js';

/** Writes entries to a file of their own below `folder`, as a snapshot takes them. */
export async function writeLogFile(
  folder: string,
  name: string,
  entries: readonly LogEntry[],
): Promise<readonly LogFile[]> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}.ndjson`);
  await writeFile(file, entries.map(encodeLogEntry).join(''));
  return [{ path: file }];
}

/** All entries of a checkpoint's log. @throws Error if some are lost */
export async function entriesOf(
  store: ObjectStore,
  manifest: Pick<Manifest, 'log'> | undefined,
  onDamagedCopy: () => void = () => undefined,
): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const part of readLog(store, manifest ?? { log: [] }, { onDamagedCopy })) {
    if (part.lost !== undefined) throw new Error(part.reason);
    entries.push(...part.entries);
  }
  return entries;
}

/** The rows that training writes at a step: some in one part, some in several, some large. */
export function rowsAt(step: number): readonly LogEntry[] {
  const cost = step % 7 === 0 ? 'NaN' : 1 / step;
  const first = { step, row: { cost, step } };
  if (step % 3 !== 0) return [first];
  return [first, { step, row: { note: `ü\n${'x'.repeat(step % 5 === 0 ? 20_000 : 10)}`, list: [step, null] } }];
}

/** The rows of a run from `first` to `last` step. */
export function rowsOfSteps(first: number, last: number): readonly LogEntry[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => rowsAt(first + index)).flat();
}
