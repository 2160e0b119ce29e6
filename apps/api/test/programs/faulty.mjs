import { defineExperiment } from '@longrun/blocks';
import { z } from 'zod';

/** A program with a bug in its schema: to see what the API tells of it. */
export default defineExperiment({
  name: 'faulty',
  description: 'A program whose schema throws.',
  params: z.strictObject({
    path: z.string().transform((path) => {
      throw new Error(`ENOENT: /place/${path}`);
    }),
  }),
  build() {
    throw new Error('The API never builds a main loop');
  },
});
