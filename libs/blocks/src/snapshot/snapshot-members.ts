import { readFile } from 'node:fs/promises';
import path from 'node:path';

import {
  copyOf,
  copyOfJson,
  hashFile,
  readSafetensors,
  StateMismatch,
  writeDurably,
  writeSafetensors,
  type Json,
  type NdArray,
} from '@longrun/serialization';

import type { WrittenSnapshotFile } from './snapshot.js';

/** Something of one's own in a snapshot. */
export interface SnapshotMember {
  /** Default null. */
  readonly value?: Json;
  /** By name. Default none. */
  readonly arrays?: ReadonlyMap<string, NdArray>;
}

/** The hashes of a snapshot's files, as `sha256sum --check` reads them. */
export const SUMS = 'SHA256SUMS';

/**
 * Adds something of one's own to a snapshot that is there, under a name that it has not yet (Blocks: `add_to_dump`). It is added as a whole or, where the process ends
 * meanwhile, not at all. What goes into each snapshot is better said to `Checkpoint`: `saveSeparately`.
 *
 * @throws Error for a name that it has, or that is no plain name; StateMismatch where there is no snapshot
 */
export async function addToSnapshot(folder: string, name: string, member: SnapshotMember): Promise<void> {
  const sums = await sumsOf(folder);
  if (sums.has(fileOf(name))) throw new Error(`${folder} has a member ${name} already; give this one another name`);
  const { sha256 = '' } = await writeMember(folder, name, member);
  await writeSums(folder, new Map([...sums, [fileOf(name), sha256]]));
}

/** What `addToSnapshot` added, or `Checkpoint` saved separately, under a name. @throws StateMismatch where it is not there, or not as it was written */
export async function loadFromSnapshot(folder: string, name: string): Promise<Required<SnapshotMember>> {
  const sums = await sumsOf(folder);
  const noted = sums.get(fileOf(name));
  if (noted === undefined) {
    const there = [...sums.keys()].flatMap((file) => MEMBER.exec(file)?.[1] ?? []);
    throw new StateMismatch(`${folder} has no member ${name}; it has ${there.join(', ') || 'none'}`);
  }
  const file = path.join(folder, fileOf(name));
  if ((await hashFile(file)).sha256 !== noted)
    throw new StateMismatch(`${file} is not as it was written; use another snapshot`);
  const { tensors, metadata } = await readSafetensors(file);
  const value: Json = JSON.parse(metadata['value'] ?? 'null');
  return { value, arrays: tensors };
}

/** A member as it is now, whatever becomes of what it was made of. */
export function copyOfMember({ value = null, arrays = new Map() }: SnapshotMember): Required<SnapshotMember> {
  return { value: copyOfJson(value), arrays: new Map([...arrays].map(([name, array]) => [name, copyOf(array)])) };
}

/** Writes a member into a folder that becomes a snapshot. */
export async function writeMember(
  folder: string,
  name: string,
  { value = null, arrays = new Map() }: SnapshotMember,
): Promise<WrittenSnapshotFile> {
  const file = fileOf(name);
  const target = path.join(folder, file);
  return { name: file, path: target, ...(await writeSafetensors(target, arrays, { value: JSON.stringify(value) })) };
}

/** Writes the hashes of a snapshot's files, by name. */
export async function writeSums(folder: string, sums: ReadonlyMap<string, string>): Promise<void> {
  const lines = [...sums].map(([name, sha256]) => `${sha256}  ${name}\n`);
  await writeDurably(path.join(folder, SUMS), [Buffer.from(lines.join(''))]);
}

/** The hashes in a text of `writeSums`, by name. */
export function sumsIn(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').slice(0, -1);
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

const MEMBER = /^member\.([\w-][\w.-]*)\.safetensors$/;

function fileOf(name: string): string {
  const file = `member.${name}.safetensors`;
  if (MEMBER.test(file)) return file;
  throw new Error(`${JSON.stringify(name)} is no name of a member; use letters, digits, dots and dashes`);
}

async function sumsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  try {
    return sumsIn(await readFile(path.join(folder, SUMS), 'utf8'));
  } catch (cause) {
    throw new StateMismatch(`${folder} is no snapshot that saveSnapshot or Checkpoint left: it has no ${SUMS}`, {
      cause,
    });
  }
}
