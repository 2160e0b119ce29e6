import { chmod, mkdir, readdir, stat } from 'node:fs/promises';

/**
 * What this process makes from here on, and what it starts makes, is its user's alone: folders 0700, files 0600, whatever the umask
 * was. The first thing that a process does; more rights are given by name, with `chmod`.
 */
export function keepFilesPrivate(): void {
  process.umask(0o077);
}

/**
 * Makes a state folder, or takes one that others can list or write from them. One that is somebody's for other things, because
 * something is in it and nothing of Longrun, stays as it is.
 */
export async function makeStateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(folder);
  if ((mode & 0o066) === 0 || uid !== process.getuid?.()) return;
  const names = await readdir(folder);
  if (names.length === 0 || names.some((name) => OWN_NAMES.has(name))) await chmod(folder, 0o700);
}

/** What lies in the state folder of a stack, of an API, of a worker. */
const OWN_NAMES: ReadonlySet<string> = new Set(['up.json', 'token', 'api.json', 'record', 'objects', 'cache']);
