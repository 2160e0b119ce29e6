import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingInput } from '../errors.js';
import type { PublishedFiles } from './converter.js';

/** Throws MissingInput, with all that a converter needs and a folder does not have. */
export async function checkPresent({ name, requiredFiles }: PublishedFiles, folder: string): Promise<void> {
  const missing: string[] = [];
  for (const file of requiredFiles) {
    const path = join(folder, file.name);
    await access(path).catch(() => missing.push(path));
  }
  if (missing.length === 0) return;
  throw new MissingInput(`${name}: these files are missing: ${missing.join(', ')}; put them there`, missing);
}
