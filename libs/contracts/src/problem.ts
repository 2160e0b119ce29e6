import { z } from 'zod';

export const ProblemError = z
  .object({
    pointer: z.string().meta({
      description:
        'JSON pointer to the field in the body (`/params/batchSize`), or the name of a header or query parameter. Of a ' +
        'very long one `...` stands for a part.',
    }),
    code: z.string().meta({
      description:
        'What kind of fault it is; stable, so that clients can word it themselves. A newer API may know more of them.',
    }),
    facts: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What is known about it, by its code; `isFault` checks them.' }),
    detail: z.string().meta({ description: 'What is wrong, with the value.' }),
    remedy: z.string().meta({ description: 'What to do about it.' }),
  })
  .meta({ description: 'One thing that is wrong with a request.' });
export type ProblemError = z.infer<typeof ProblemError>;

export const Problem = z
  .object({
    type: z
      .string()
      .meta({ description: 'Which problem it is: `/problems/` and its kind, where a page says what it means.' }),
    title: z.string().meta({ description: 'What the kind of problem is, in a few words.' }),
    status: z.int().min(400).max(599).meta({ description: 'The HTTP status of the answer.' }),
    detail: z.string().meta({ description: 'What is wrong with this request, in a sentence.' }),
    instance: z.string().optional().meta({ description: 'Id of the request in the log of the API.' }),
    errors: z.array(ProblemError).optional().meta({ description: 'All that is wrong, one by one.' }),
  })
  .meta({ description: 'A problem document (RFC 9457), media type `application/problem+json`.' });
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
