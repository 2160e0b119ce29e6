import { randomBytes } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStateFolder, TOKEN_PATTERN } from '@longrun/platform/configuration';

/** The token file cannot be trusted or used; the message says which command mends it. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}

/**
 * The bearer token of a state folder: the content of `<stateFolder>/token`, which is made at first use with 256 random bits
 * and mode 0600. Of several processes that start at once, one makes it and all read the same.
 *
 * Throws TokenFileError when others than the owner may read the file, or when it does not hold a token.
 */
export async function tokenOf(stateFolder: string): Promise<string> {
  const path = tokenPath(stateFolder);
  await makeStateFolder(stateFolder);
  return (await readToken(path)) ?? (await makeToken(path));
}

/** Where the token of a state folder lies. */
export function tokenPath(stateFolder: string): string {
  return join(stateFolder, 'token');
}

async function readToken(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new TokenFileError(`The token file ${path} cannot be read (${error.code ?? error.message}).`, {
      cause: error,
    });
  });
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    // Windows has no such bits; its files belong to the profile of their user.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new TokenFileError(
        `Others can read the token file ${path} (mode 0${(mode & 0o777).toString(8)}). ` +
          `Run: chmod 600 ${quoted(path)} (and delete the file first if the token may have been seen: a new one is made).`,
      );
    }
    const token = (await file.readFile('utf8')).trim();
    if (!TOKEN_PATTERN.test(token)) {
      throw new TokenFileError(
        `The token file ${path} does not hold a token of 16 to 512 characters. Run: rm ${quoted(path)} (a new one is made at the next start).`,
      );
    }
    return token;
  } finally {
    await file.close();
  }
}

async function makeToken(path: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${token}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // link() refuses to replace: a token that another process made in the meantime stays, and is the one we use.
    await link(draft, path);
    return token;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const theirs = await readToken(path);
    if (theirs === undefined)
      throw new TokenFileError(`The token file ${path} vanished while it was read.`, { cause: error });
    return theirs;
  } finally {
    await unlink(draft);
  }
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
