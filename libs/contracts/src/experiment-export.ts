import { z } from 'zod';

import { ExperimentQuery, ExperimentSummary } from './experiment-list.js';
import { ExperimentSpec } from './experiment-spec.js';
import { Metric } from './metrics.js';
import { ExperimentOrigin } from './views.js';

/** An experiment with all that a table of runs says of it: what a list shows, what was asked for, and what it has logged as numbers. */
export const ExportedExperiment = ExperimentSummary.extend({
  spec: ExperimentSpec,
  /** Where it went on from; null where it began at its beginning. */
  from: ExperimentOrigin.nullable(),
  /** How many attempts there were, the one that is on among them. */
  attempts: z.int().min(0),
  /** By name. */
  metrics: z.array(Metric),
});
export type ExportedExperiment = z.infer<typeof ExportedExperiment>;

/** One page of experiments, oldest first, shorter where they are large; `nextCursor` asks for the following one, null at the end. */
export const ExperimentExport = z.object({ items: z.array(ExportedExperiment), nextCursor: z.string().nullable() });
export type ExperimentExport = z.infer<typeof ExperimentExport>;

/** Which experiments are exported: those that fit every part of the query. */
export const ExportQuery = ExperimentQuery.omit({ sort: true, metrics: true });
export type ExportQuery = z.infer<typeof ExportQuery>;
/** As it is written in a URL. */
export type ExportQueryInput = Omit<z.input<typeof ExportQuery>, 'limit'> & { readonly limit?: number };
