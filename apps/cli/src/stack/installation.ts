import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Something that must be there before a stack can start is missing; the message says the command to run. */
export class NotInstalled extends Error {
  override readonly name = 'NotInstalled';
}

/** Where the parts of this checkout are. */
export interface Installation {
  /** The workspace's root folder. */
  readonly root: string;
  /** The main modules of the three service apps. */
  readonly entries: Readonly<Record<'api' | 'fuel-preproc' | 'worker-gpu', string>>;
  /** The folder of the examples' programs. */
  readonly programs: string;
}

/** The checkout that this file belongs to. Throws NotInstalled naming what has not been built. */
export function findInstallation(): Installation {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
  const entry = (app: string): string => join(root, 'apps', app, 'dist', 'bundle', 'main.js');
  const entries = { api: entry('api'), 'fuel-preproc': entry('fuel-preproc'), 'worker-gpu': entry('worker-gpu') };
  const programs = join(root, 'examples', 'src', 'programs');
  for (const path of [...Object.values(entries), programs]) {
    if (!existsSync(path)) {
      throw new NotInstalled(`${path} is missing; run \`npm run setup\` (or \`npm run build\`) in ${root}`);
    }
  }
  return { root, entries, programs };
}

/** The full path of redis-server. Throws NotInstalled with the command that installs it. */
export function findRedisServer(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path));
  if (found !== undefined) return found;
  const install = process.platform === 'darwin' ? 'brew install redis' : 'apt-get install -y redis-server';
  throw new NotInstalled(`redis-server is not on PATH; install it with \`${install}\` (as root) and run this again`);
}
