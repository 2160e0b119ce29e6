import { z } from 'zod';

import { ExperimentId, Sha256, Step } from './ids.js';
import { Json } from './json.js';
import { ExperimentStatus } from './status.js';

const Compared = z
  .object({
    id: ExperimentId,
    name: z.string().meta({ description: 'Its name, for people.' }),
    status: ExperimentStatus,
    parametersSha256: Sha256.nullable().meta({
      description: 'SHA-256 of its final parameters; null where it has none.',
    }),
  })
  .meta({ description: 'One of two experiments that are compared.' });

const Differences = z
  .object({
    rows: z
      .int()
      .min(0)
      .meta({ description: 'Log rows by step that were compared. What the clock on the wall says is left aside.' }),
    log: z
      .object({
        step: Step.meta({ description: 'The first step at which they differ.' }),
        record: z.string().meta({ description: 'The record that differs.' }),
        a: Json.optional().meta({ description: 'Its value in the first; absent where it has none.' }),
        b: Json.optional().meta({ description: 'Its value in the second; absent where it has none.' }),
      })
      .nullable()
      .meta({ description: 'Where the logs part; null where they are equal.' }),
    parameters: z.array(z.string()).meta({
      description: 'Names of the parameters that differ, where the logs are equal and the final parameters are not.',
    }),
    outputs: z
      .array(
        z.object({
          name: z.string().meta({ description: 'Name of the file.' }),
          a: Sha256.nullable().meta({ description: 'Its SHA-256 in the first; null where it has none.' }),
          b: Sha256.nullable().meta({ description: 'Its SHA-256 in the second; null where it has none.' }),
        }),
      )
      .meta({ description: 'Files that the programs have written and that are not the same.' }),
  })
  .meta({
    description:
      'In what two experiments that have ended differ, bit for bit. What one of them has not is left out or null.',
  });

export const ExperimentComparison = z
  .object({
    a: Compared.meta({ description: 'The first experiment, of the path.' }),
    b: Compared.meta({ description: 'The second experiment, of the query.' }),
    verdict: z.enum(['identical', 'different', 'incomparable', 'undecided']).meta({
      description:
        '`identical`: both have succeeded, with the same parameters, log and outputs, bit for bit. `different`: something ' +
        'differs. `undecided`: one of them has not ended. `incomparable`: nothing differs, but one of them has not ' +
        'succeeded.',
    }),
    differences: Differences.nullable().meta({ description: 'In what they differ; null while it is undecided.' }),
    environment: z
      .array(
        z.object({
          name: z.string().meta({ description: 'What differs.' }),
          a: z.array(Json).meta({ description: 'Its values in the first.' }),
          b: z.array(Json).meta({ description: 'Its values in the second.' }),
        }),
      )
      .meta({
        description:
          'In what the numeric environments and the libraries differ: the values of the attempts of each, in their order, ' +
          'each once. Bits repeat only where there is nothing.',
      }),
  })
  .meta({ description: 'How the results of two experiments compare, as they are stored.' });
export type ExperimentComparison = z.infer<typeof ExperimentComparison>;

/** The query of a comparison. */
export const ComparisonQuery = z.strictObject({
  with: ExperimentId.meta({ description: 'Id of the other experiment.' }),
});
export type ComparisonQuery = z.infer<typeof ComparisonQuery>;
