import { chmod, open } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { type Environment, TOKEN_PATTERN } from '@longrun/platform/configuration';
import { FolderInUse, FolderLock } from '@longrun/platform/processes';
import { makeFolder, writeDurably } from '@longrun/serialization';
import { z } from 'zod';

/** A server that was logged in to, with the token that it took. */
export interface Host {
  readonly url: string;
  readonly token: string;
}

/** What was kept of logins cannot be read, written or trusted; the message says what to do. */
export class HostsFileError extends Error {
  override readonly name = 'HostsFileError';
}

/** Where logins are kept: `longrun/hosts.json` in the user's folder of configuration; undefined where there is no such folder. */
export function hostsFile({ XDG_CONFIG_HOME, HOME, USERPROFILE }: Environment): string | undefined {
  // One that is not absolute counts as absent, as its specification has it.
  if (XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME))
    return join(XDG_CONFIG_HOME, 'longrun', 'hosts.json');
  const home = HOME ?? USERPROFILE;
  return home === undefined || home === '' ? undefined : join(home, '.config', 'longrun', 'hosts.json');
}

/** The servers that were logged in to, the last one first. @throws HostsFileError */
export async function readHosts(environment: Environment): Promise<readonly Host[]> {
  const file = hostsFile(environment);
  const text = file === undefined ? undefined : await textOfPrivate(file);
  if (text === undefined) return [];
  try {
    return HostsFile.parse(JSON.parse(text)).hosts;
  } catch {
    // What is wrong with it could hold a token.
    throw new HostsFileError(`${file} is not what \`longrun login\` writes; delete it and log in again`);
  }
}

/**
 * Keeps other servers than before, whoever else changes them at the same time. Answers in which file.
 *
 * @param change of those that are kept now
 * @throws HostsFileError, and what `change` throws
 */
export async function changeHosts(
  environment: Environment,
  change: (hosts: readonly Host[]) => readonly Host[],
): Promise<string> {
  const file = hostsFile(environment);
  if (file === undefined) return await writeHosts(environment, []);
  const lock = await lockOf(file);
  try {
    return await writeHosts(environment, change(await readHosts(environment)));
  } finally {
    await lock.release();
  }
}

/** Waits for whoever holds it, which takes milliseconds. */
async function lockOf(file: string): Promise<FolderLock> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await FolderLock.take(`${file}.lock`);
    } catch (error) {
      if (!(error instanceof FolderInUse) || attempt === ATTEMPTS)
        throw new HostsFileError(`${file} cannot be changed (${messageOf(error)}); mend that, or use LONGRUN_TOKEN`, {
          cause: error,
        });
      await pause(PAUSE_MS);
    }
  }
}

const ATTEMPTS = 100;
const PAUSE_MS = 50;

/** Keeps these servers, and no others. The file is its user's alone, and appears whole or not at all. @throws HostsFileError */
export async function writeHosts(environment: Environment, hosts: readonly Host[]): Promise<string> {
  const file = hostsFile(environment);
  if (file === undefined)
    throw new HostsFileError(
      'there is no folder to keep a token in; set HOME or XDG_CONFIG_HOME, or use LONGRUN_TOKEN',
    );
  const folder = dirname(file);
  try {
    await makeFolder(folder);
    await chmod(folder, 0o700);
    // Nobody else gets at it in this folder, whatever the umask makes of it at first.
    await writeDurably(file, [Buffer.from(`${JSON.stringify({ version: 1, hosts }, undefined, 2)}\n`)]);
    await chmod(file, 0o600);
  } catch (error) {
    throw new HostsFileError(`${file} cannot be written (${messageOf(error)}); mend that, or use LONGRUN_TOKEN`, {
      cause: error,
    });
  }
  return file;
}

/** Whether two addresses are of one server. */
export function isSameServer(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(url: string): string {
  return new URL(url).href.replace(/\/+$/, '');
}

const HostsFile = z.object({
  version: z.literal(1),
  hosts: z.array(z.object({ url: z.url({ protocol: /^https?$/ }), token: z.string().regex(TOKEN_PATTERN) })),
});

/** What a file says that nobody else can read; undefined where there is none. */
async function textOfPrivate(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new HostsFileError(`${path} cannot be read (${error.message}); mend that, or use LONGRUN_TOKEN`, {
      cause: error,
    });
  });
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    // Windows has no such bits; its files belong to the profile of their user.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new HostsFileError(
        `others can read ${path}, which holds tokens; run chmod 600 on it, or delete it and log in again`,
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
