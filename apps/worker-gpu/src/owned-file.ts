import type { FileHandle } from 'node:fs/promises';

/** A file that is open. */
export interface OpenFile {
  /** In the checkpoint. */
  readonly name: string;
  readonly path: string;
  readonly handle: FileHandle;
}

/** A file that became the worker's own before the last of its bytes were looked at. */
export interface OwnedFile extends OpenFile {
  /** When it had been written last by then. Undefined: it is its trainer's still. */
  readonly writtenNs: bigint | undefined;
}

/**
 * Makes a file the worker's own, before it looks at the last of its bytes: nobody else can write it from then on without the time showing it. Where that
 * cannot be it stays as it is.
 *
 * @param mode By default the worker alone reads it.
 */
export async function ownFile(file: OpenFile, mode = PRIVATE): Promise<OwnedFile> {
  const { handle } = file;
  try {
    const [user, group] = [process.geteuid?.(), process.getegid?.()];
    if (user !== undefined && group !== undefined) await handle.chown(user, group);
    await handle.chmod(mode);
    return { ...file, writtenNs: (await handle.stat({ bigint: true })).mtimeNs };
  } catch {
    return { ...file, writtenNs: undefined };
  }
}

const PRIVATE = 0o600;
