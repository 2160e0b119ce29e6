import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LibraryVersions } from '@longrun/contracts';
import { z } from 'zod';

/** What programs import of `@longrun/*`. */
const NAMES = ['blocks', 'fuel', 'serialization', 'tensor'];

/**
 * The versions of the libraries that programs import.
 *
 * @param libraries the installation's own folder `node_modules/@longrun`, absolute
 */
export async function installedLibraries(libraries: string): Promise<LibraryVersions> {
  const entries = NAMES.map(async (name) => {
    const text = await readFile(join(libraries, name, 'package.json'), 'utf8');
    return [`@longrun/${name}`, Package.parse(JSON.parse(text)).version] as const;
  });
  return LibraryVersions.parse(Object.fromEntries(await Promise.all(entries)));
}

const Package = z.object({ version: z.string() });
