import { z } from 'zod';

import { StorableText } from './json.js';

const Name = StorableText.regex(/^@longrun\/[a-z0-9-]{1,50}$/);
const Version = StorableText.regex(/^[0-9][0-9A-Za-z.+-]{0,50}$/);

export const LibraryVersions = z
  .record(Name, Version)
  .meta({ description: 'Versions of packages `@longrun/*`, by their names.' });
export type LibraryVersions = z.infer<typeof LibraryVersions>;

export const LibraryChange = z
  .object({
    name: Name.meta({ description: 'Name of the package.' }),
    version: Version.nullable().meta({ description: 'Its version now; null where it is gone.' }),
    was: Version.nullable().meta({ description: 'Its version before; null where it was not there.' }),
  })
  .meta({ description: 'A library that is another one than it was; null where there is, or was, none.' });
export type LibraryChange = z.infer<typeof LibraryChange>;

/** In what libraries differ from those of before, by name. */
export function libraryChanges(now: LibraryVersions, before: LibraryVersions): LibraryChange[] {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].toSorted();
  return names
    .map((name) => ({ name, version: now[name] ?? null, was: before[name] ?? null }))
    .filter(({ version, was }) => version !== was);
}

/** `@longrun/blocks 0.2.0, was 0.1.0` */
export function libraryChangeText({ name, version, was }: LibraryChange): string {
  return `${name} ${version ?? 'gone'}, was ${was ?? 'not there'}`;
}
