import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { environmentWithoutSecrets } from '../configuration/hidden-environment.js';

/**
 * Deletes a folder in which a child may have made anything: folders deeper than a path can be long, or closed to their owner. Resolves
 * with nothing when it is gone; else with a sentence that says where the rest was moved to, out of the way. Never rejects.
 */
export async function removeTree(folder: string): Promise<string | undefined> {
  try {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  } catch (error) {
    // Root needs no rights, and is not to give any to files that have another name elsewhere.
    if (process.geteuid?.() !== 0) await succeeds('chmod', ['-R', 'u+rwX', folder]);
    // It goes down by relative names, however deep.
    if (await succeeds('rm', ['-rf', folder])) return undefined;
    return await moveAside(folder, error);
  }
}

async function moveAside(folder: string, error: unknown): Promise<string> {
  const aside = `${folder}.left-${randomUUID()}`;
  const isMoved = await rename(folder, aside).then(
    () => true,
    () => false,
  );
  // The message of an error has the whole path in it, which is long.
  const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return isMoved
    ? `could not delete ${folder} (${why}): what is left of it is now ${aside}; delete it by hand`
    : `could not delete ${folder} (${why}); delete it by hand`;
}

/** A signal to this process' group does not end it halfway. */
async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const [code] = await once(
      spawn(command, args, { env: environmentWithoutSecrets(process.env), stdio: 'ignore', detached: true }),
      'exit',
    );
    return code === 0;
  } catch {
    return false;
  }
}
