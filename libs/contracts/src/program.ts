import { z } from 'zod';

import { Moment, Sha256 } from './ids.js';
import { JsonObject, StorableText } from './json.js';
import { LibraryVersions } from './library-versions.js';
import { textLike } from './rule.js';
import { ListQuery, NextCursor } from './views.js';

export const ProgramName = textLike(
  /^[a-z][a-z0-9-]{0,99}$/,
  'a program cannot be called so',
  'give 1 to 100 of a-z, 0-9, `-`; begin with a letter',
).meta({ description: 'What a program is published as, and named by in specs.' });
export type ProgramName = z.infer<typeof ProgramName>;

/** The module of a program has at most so many bytes. */
export const MAX_PROGRAM_BYTES = 16 * 2 ** 20;

export const ProgramView = z
  .object({
    name: ProgramName.meta({ description: 'What it is published as.' }),
    sha256: Sha256.meta({
      description:
        'SHA-256 of its module. A spec names this very program by `name@` and 6 or more of its first digits.',
    }),
    sizeBytes: z.int().min(1).meta({ description: 'Size of its module, in bytes.' }),
    description: z.string().meta({ description: 'What it does, in one sentence; empty where it does not say.' }),
    params: JsonObject.meta({
      description: 'JSON schema (draft 2020-12) of `params`: what has a default can be left out.',
    }),
    libraries: LibraryVersions.meta({
      description: 'The versions of `@longrun/*` that it was made against; empty where its module does not say.',
    }),
    publishedAt: Moment.meta({ description: 'When it was last published under this name.' }),
  })
  .meta({ description: 'A program that experiments can name: one module, published under a name.' });
export type ProgramView = z.infer<typeof ProgramView>;

export const ProgramList = z
  .object({ items: z.array(ProgramView).meta({ description: 'The programs of this page.' }), nextCursor: NextCursor })
  .meta({ description: 'One page of programs, last published first.' });
export type ProgramList = z.infer<typeof ProgramList>;

/** The query of the list of programs. */
export const ProgramListQuery = ListQuery.extend({
  name: StorableText.max(200)
    .optional()
    .meta({ description: 'All that were ever published under this name. Default: of each name the newest.' }),
});
export type ProgramListQuery = z.infer<typeof ProgramListQuery>;

/** The query of a publication. */
export const PublishQuery = z.strictObject({
  name: ProgramName.meta({ description: 'What the program is published as.' }),
});
export type PublishQuery = z.infer<typeof PublishQuery>;

/** Where the module of a program is, and how it is known again. */
export const ProgramFile = z.object({
  /** Key in the object store. */
  fileKey: z.string(),
  sha256: Sha256,
  sizeBytes: z.int().min(1),
  /** What it was made against; empty where its module does not say. */
  libraries: LibraryVersions.default({}),
});
export type ProgramFile = z.infer<typeof ProgramFile>;

/** Key of the module in the object store. */
export function programKey(sha256: string): string {
  return `programs/${sha256}.mjs`;
}

/** A program as a spec names it: by its name, or by its name and the beginning of its SHA-256. */
export function programReference(text: string): { readonly name: string; readonly prefix: string | undefined } {
  const at = text.indexOf('@');
  return at === -1 ? { name: text, prefix: undefined } : { name: text.slice(0, at), prefix: text.slice(at + 1) };
}

/** Whether a text can be the beginning of a SHA-256 that stands for one of the programs of a name. */
export function isHashPrefix(text: string): boolean {
  return /^[0-9a-f]{6,64}$/.test(text);
}

/** The shortest way to name a program for people that no other is likely to have: `mlp@0123456789ab`. */
export function shortProgram(name: string, sha256: string): string {
  return `${name}@${sha256.slice(0, 12)}`;
}
