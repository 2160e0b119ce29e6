import { z } from 'zod';

import { ExperimentQuery, ExperimentSummary } from './experiment-list.js';
import { ExperimentSpec } from './experiment-spec.js';
import { Metric } from './metrics.js';
import { ExperimentOrigin, NextCursor } from './views.js';

export const ExportedExperiment = ExperimentSummary.extend({
  spec: ExperimentSpec.meta({ description: 'What was submitted, every default filled in.' }),
  from: ExperimentOrigin.nullable().meta({
    description: 'Where it went on from; null where it began at its beginning.',
  }),
  attempts: z.int().min(0).meta({ description: 'How many attempts there were, the one that is on among them.' }),
  metrics: z.array(Metric).meta({ description: 'What it has logged as numbers, by name.' }),
}).meta({
  description:
    'An experiment with all that a table of runs says of it: what a list shows, what was asked for, and what it has ' +
    'logged as numbers.',
});
export type ExportedExperiment = z.infer<typeof ExportedExperiment>;

export const ExperimentExport = z
  .object({
    items: z.array(ExportedExperiment).meta({ description: 'The experiments of this page.' }),
    nextCursor: NextCursor,
  })
  .meta({ description: 'One page of experiments, oldest first, shorter where they are large.' });
export type ExperimentExport = z.infer<typeof ExperimentExport>;

/** Which experiments are exported: those that fit every part of the query. */
export const ExportQuery = ExperimentQuery.omit({ sort: true, metrics: true });
export type ExportQuery = z.infer<typeof ExportQuery>;
/** As it is written in a URL. */
export type ExportQueryInput = Omit<z.input<typeof ExportQuery>, 'limit'> & { readonly limit?: number };
