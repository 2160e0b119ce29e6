import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CheckpointReader,
  CheckpointStore,
  type LogEntry,
  type Manifest,
  newestLog,
  type ObjectStore,
  readLog,
  Verification,
} from '@longrun/serialization';
import type { Ending } from './verdict.js';

/** Reads what there is of a run that has ended. @throws Error where nothing was committed, or rows are lost */
export async function readEnding(store: ObjectStore, prefix: string, scratch: string): Promise<Ending> {
  const folder = join(scratch, 'checked');
  const { manifest } = await new CheckpointStore(store, prefix).newestValid(folder);
  await rm(folder, { recursive: true, force: true });
  if (manifest === undefined) throw new Error(`${store.url}: under ${prefix} there is no checkpoint that is whole`);
  const rows: LogEntry[] = [];
  for await (const part of readLog(store, (await newestLog(store, prefix)) ?? manifest)) {
    if (part.lost !== undefined) throw new Error(`${store.url}: under ${prefix}, ${part.reason}`);
    rows.push(...part.entries);
  }
  return { rows, files: Object.fromEntries(manifest.files.map(({ name, sha256 }) => [name, sha256])) };
}

/** Objects under a prefix that are not as they were committed, a sentence each. */
export async function damaged(store: ObjectStore, prefix: string): Promise<string[]> {
  const reasons: string[] = [];
  for await (const found of new Verification(new CheckpointReader(store, prefix)).all())
    if (!('isRemoved' in found)) reasons.push(...found.damage.map(({ reason }) => reason));
  return reasons;
}

/** Keys of objects under a prefix that neither its head nor a checkpoint there needs. */
export async function leftovers(store: ObjectStore, prefix: string): Promise<string[]> {
  const { head, checkpoints } = await new CheckpointReader(store, prefix).list();
  const needed = new Set([`${prefix}/head.json`]);
  const need = (log: Manifest['log']): void => {
    for (const { keys } of log) for (const key of keys) needed.add(key);
  };
  need(head.log?.log ?? []);
  for (const { entry, manifest } of checkpoints) {
    for (const key of [entry.manifestKey, entry.copyKey]) if (key !== undefined) needed.add(key);
    need(manifest?.log ?? []);
    for (const { blobKey, copyKey } of manifest?.files ?? [])
      for (const key of [blobKey, copyKey]) if (key !== undefined) needed.add(key);
  }
  const left: string[] = [];
  for await (const { key } of store.list(`${prefix}/`)) if (!needed.has(key)) left.push(key);
  return left;
}
