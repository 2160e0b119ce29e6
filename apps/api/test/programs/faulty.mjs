import { defineExperiment } from '@longrun/blocks';
import { z } from 'zod';

/** A program with a bug in its schema: to see what the API tells of it. */
export default defineExperiment({
  name: 'faulty',
  description: 'A program whose schema throws, or says over and over what it was given.',
  params: z
    .strictObject({
      path: z
        .string()
        .transform((path) => {
          throw new Error(`ENOENT: /place/${path}`);
        })
        .optional(),
      quoted: z.string().optional(),
    })
    .superRefine(({ quoted }, context) => {
      if (quoted === undefined) return;
      for (let fault = 0; fault < 20; fault += 1)
        context.addIssue({ code: 'custom', message: `${quoted} is no name`, params: { remedy: `not ${quoted}` } });
    }),
  build() {
    throw new Error('The API never builds a main loop');
  },
});
