import { z } from 'zod';

/**
 * What a schema's own rule says when it is broken, for `refine`: a clause without a full stop (it follows the value: `"folder" is
 * "/etc": …`), and what to do about it, in the imperative.
 */
export function rule(says: string, remedy: string): { error: string; params: { remedy: string } } {
  return { error: says, params: { remedy } };
}

/** A text of a form that has a name of its own; see {@link rule}. */
export function textLike(pattern: RegExp, says: string, remedy: string): z.ZodString {
  return z
    .string()
    .refine((text) => pattern.test(text), rule(says, remedy))
    .meta({ pattern: pattern.source });
}
