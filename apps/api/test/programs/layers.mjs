import { defineExperiment } from '@longrun/blocks';
import { z } from 'zod';

/** Parameters as those of a real program; what it would train is of no concern to the API. */
export default defineExperiment({
  name: 'layers',
  description: 'A stack of layers.',
  params: z
    .strictObject({
      dims: z.array(z.int().min(1)).min(2),
      activations: z.array(z.enum(['tanh', 'logistic', 'rectifier', 'softmax'])),
      batchSize: z.int().min(1).default(128),
      learningRate: z.number().positive().default(0.001),
    })
    .superRefine(({ dims, activations }, context) => {
      if (dims.length === activations.length + 1) return;
      context.addIssue({
        code: 'custom',
        path: ['dims'],
        message: `dims has ${dims.length} entries but there are ${activations.length} activations`,
        params: { remedy: 'give activations.length + 1 dims' },
      });
    }),
  build() {
    throw new Error('The API never builds a main loop');
  },
});
