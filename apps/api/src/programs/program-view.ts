import { JsonObject } from '@longrun/contracts';
import { z } from 'zod';

/** A program that experiments can name. */
export const ProgramView = z.object({
  name: z.string(),
  /** One sentence; empty when there is none. */
  description: z.string(),
  /** JSON schema (draft 2020-12) of `params`: what has a default can be left out. */
  params: JsonObject,
  /** Why it cannot be asked what it takes, in a clause; null for a program that works. Nothing else is said of a broken one. */
  broken: z.string().nullable(),
});
export type ProgramView = z.infer<typeof ProgramView>;

/** Every program of this API, by name. */
export const ProgramList = z.object({ items: z.array(ProgramView) });
export type ProgramList = z.infer<typeof ProgramList>;
