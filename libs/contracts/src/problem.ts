import { z } from 'zod';

/** One thing that is wrong with a request. */
export const ProblemError = z.object({
  /** JSON pointer to the field in the body (`/params/batchSize`), or the name of a header or query parameter. Of a very long one `...` stands for a part. */
  pointer: z.string(),
  /** What kind of fault it is; stable, so that clients can word it themselves. A newer API may know more of them. */
  code: z.string(),
  /** What is known about it, by its code; `isFault` checks them. */
  facts: z.record(z.string(), z.unknown()),
  /** What is wrong, with the value. */
  detail: z.string(),
  /** What to do about it. */
  remedy: z.string(),
});
export type ProblemError = z.infer<typeof ProblemError>;

/** A problem document (RFC 9457), media type `application/problem+json`. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  instance: z.string().optional(),
  errors: z.array(ProblemError).optional(),
});
export type Problem = z.infer<typeof Problem>;

/** The JSON pointer (RFC 6901) of a path: `['params', 'dims', 0]` is `/params/dims/0`. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The keys that a JSON pointer leads through, from the outside in; indices as text. */
export function pointerPath(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
