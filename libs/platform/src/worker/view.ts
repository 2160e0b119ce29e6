import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A user by number, with its one group. */
export interface ChildUser {
  readonly uid: number;
  readonly gid: number;
}

/** What of the file system is made visible to a child. */
export interface Sight {
  /** Files and folders to read. */
  readonly readable: readonly string[];
  /** Folders of its own. */
  readonly writable: readonly string[];
}

/**
 * The shell commands that give a process, in a mount namespace of its own, a sight of paths that lie below folders closed to the user:
 * each such folder is covered by an empty one, in which only those paths are there, under their own names. What lies nowhere below a
 * closed folder stays as it is. Needs the right to mount.
 *
 * @param staging an empty folder that is closed to nobody
 */
export async function mountCommands(user: ChildUser, sight: Sight, staging: string): Promise<string[]> {
  const binds = await bindsOf(sight);
  const covers = new Set<string>();
  for (const { target } of binds)
    for (const folder of foldersAbove(target)) if (!(await mayPass(folder, user))) covers.add(folder);
  const shown = binds.filter(({ target }) => foldersAbove(target).some((folder) => covers.has(folder)));

  const commands = [`mount -t tmpfs -o mode=0755,size=1m longrun ${quoted(staging)}`];
  for (const [index, { source, isFolder, isReadOnly }] of shown.entries()) {
    const stage = quoted(`${staging}/${index}`);
    commands.push(isFolder ? `mkdir ${stage}` : `: > ${stage}`, `mount --bind ${quoted(source)} ${stage}`);
    commands.push(`mount -o remount,bind,nosuid,nodev${isReadOnly ? ',ro' : ''} ${stage}`);
  }
  // From the root down, so that a cover never hides what was put in its place before.
  const mounts = [
    ...[...covers].map((path) => ({ path, stage: undefined, isFolder: true })),
    ...shown.map(({ target, isFolder }, index) => ({ path: target, stage: `${staging}/${index}`, isFolder })),
  ].toSorted((a, b) => depth(a.path) - depth(b.path));
  const done: { readonly path: string; readonly isCover: boolean }[] = [];
  for (const { path, stage, isFolder } of mounts) {
    const isInCover = done.findLast((one) => path.startsWith(`${one.path}/`))?.isCover === true;
    if (stage === undefined) {
      if (isInCover) continue;
      commands.push(`mount -t tmpfs -o mode=0755,size=1m longrun ${quoted(path)}`);
    } else {
      if (isInCover) commands.push(`mkdir -p ${quoted(isFolder ? path : dirname(path))}`);
      if (isInCover && !isFolder) commands.push(`: > ${quoted(path)}`);
      commands.push(`mount --move ${quoted(stage)} ${quoted(path)}`);
    }
    done.push({ path, isCover: stage === undefined });
  }
  return [...commands, `umount ${quoted(staging)}`];
}

/** True for a folder that the user may go through, as its mode says. */
export async function mayPass(folder: string, { uid, gid }: ChildUser): Promise<boolean> {
  const found = await stat(folder);
  const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0;
  return ((found.mode >> shift) & 1) === 1;
}

/** The folders that a path goes through, from the topmost down, without the root. */
export function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === '/' || above === path ? [] : [...foldersAbove(above), above];
}

/** A text as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

interface Bind {
  readonly target: string;
  readonly source: string;
  readonly isFolder: boolean;
  readonly isReadOnly: boolean;
}

/** Each path under the name that it was given by, and under its real one where that is another. */
async function bindsOf({ readable, writable }: Sight): Promise<Bind[]> {
  const binds = new Map<string, Bind>();
  for (const [paths, isReadOnly] of [
    [readable, true],
    [writable, false],
  ] as const)
    for (const path of paths) {
      const source = await realpath(path);
      const isFolder = (await stat(source)).isDirectory();
      for (const target of new Set([resolve(path), source]))
        binds.set(target, { target, source, isFolder, isReadOnly });
    }
  return [...binds.values()];
}

function depth(path: string): number {
  return path.split('/').length;
}
