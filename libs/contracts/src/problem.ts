import { z } from 'zod';

/** One thing that is wrong with a request. */
export const ProblemError = z.object({
  /** JSON pointer to the field in the body (`/params/batchSize`), or the name of a header or query parameter. */
  pointer: z.string(),
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

/** What went wrong with a value that a zod schema refused, one entry for each issue, with a remedy. */
export function problemErrors(error: z.ZodError, prefix = ''): ProblemError[] {
  return error.issues.flatMap((issue) => fromIssue(issue, prefix));
}

/** The JSON pointer (RFC 6901) of a path: `['params', 'dims', 0]` is `/params/dims/0`. */
export function jsonPointer(path: readonly PropertyKey[], prefix = ''): string {
  return prefix + path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function fromIssue(issue: z.core.$ZodIssue, prefix: string): ProblemError[] {
  const pointer = jsonPointer(issue.path, prefix);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        pointer: jsonPointer([...issue.path, key], prefix),
        detail: `\`${key}\` is not a known key`,
        remedy: 'remove it, or correct its spelling',
      }));
    case 'invalid_value':
      return [{ pointer, detail: issue.message, remedy: `give one of ${issue.values.map(String).join(', ')}` }];
    case 'invalid_type':
      return [{ pointer, detail: issue.message, remedy: `give a value of type ${issue.expected}` }];
    case 'too_small':
      return [{ pointer, detail: issue.message, remedy: `give at least ${issue.minimum}` }];
    case 'too_big':
      return [{ pointer, detail: issue.message, remedy: `give at most ${issue.maximum}` }];
    default:
      return [{ pointer, detail: issue.message, remedy: 'correct the value' }];
  }
}
