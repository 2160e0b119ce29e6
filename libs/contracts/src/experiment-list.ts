import { z } from 'zod';

import { DatasetRole } from './experiment-spec.js';
import { DatasetId } from './ids.js';
import { StorableText } from './json.js';
import { readConditions, readName, readNames, nameText, type TextReading } from './metric-text.js';
import { Metric } from './metrics.js';
import { textLike } from './rule.js';
import { ExperimentStatus } from './status.js';
import { ExperimentView, ListQuery, NextCursor } from './views.js';

export const ExperimentSummary = ExperimentView.pick({
  id: true,
  name: true,
  owner: true,
  project: true,
  programSha256: true,
  status: true,
  reason: true,
  message: true,
  cancelRequested: true,
  failures: true,
  preemptions: true,
  losses: true,
  progress: true,
  nonFinite: true,
  createdAt: true,
  startedAt: true,
  endedAt: true,
})
  .extend({
    program: z.string().meta({ description: 'Name of its program.' }),
    datasets: z
      .record(DatasetRole, z.object({ id: DatasetId, name: z.string().meta({ description: 'Its name.' }) }))
      .meta({ description: 'Its datasets, by role.' }),
    metrics: z
      .record(z.string(), Metric.shape.last.nullable())
      .meta({ description: 'Last values of the metrics that the query names; null of one that it has not logged.' }),
  })
  .meta({
    description:
      'An experiment in a list. Its size does not grow with its parameters, its log, its attempts or its checkpoints.',
  });
export type ExperimentSummary = z.infer<typeof ExperimentSummary>;

const HowMany = z.int().min(0).meta({ description: 'How many there are of this status.' });

export const ExperimentList = z
  .object({
    items: z.array(ExperimentSummary).meta({ description: 'The experiments of this page.' }),
    nextCursor: NextCursor,
    counts: z
      .record(ExperimentStatus, HowMany)
      .nullable()
      .meta({
        description:
          'How many there are of each status among all that fit the query, whatever status it asks for. On the first page ' +
          'only; null on the others.',
      }),
  })
  .meta({ description: 'One page of experiments.' });
export type ExperimentList = z.infer<typeof ExperimentList>;

/** By what a list is sorted. */
export interface ExperimentSort {
  readonly by: 'created' | 'ended' | 'name' | 'status' | { readonly metric: string };
  readonly isDescending: boolean;
}

/** The beginning of an id, without or with its kind. */
function idBeginning(kind: 'exp' | 'ds') {
  return textLike(
    new RegExp(`^(${kind}_)?[0-9a-f]{0,32}$`),
    'no id begins so',
    `give up to 32 hexadecimal digits, with or without ${kind}_ before them`,
  );
}

/**
 * Which experiments are listed: those that fit every part of the query. What counts of a metric is its last value. A page after the first is asked for with
 * the same query.
 */
export const ExperimentQuery = ListQuery.extend({
  status: StorableText.transform(readBy(readStatuses))
    .optional()
    .meta({ description: 'One status or several with commas between: `queued,running`.' }),
  program: StorableText.optional().meta({ description: 'Name of the program.' }),
  dataset: StorableText.optional().meta({ description: 'Name or id of a dataset that it uses, in whatever role.' }),
  owner: StorableText.optional().meta({ description: 'Who submitted it.' }),
  project: StorableText.optional().meta({ description: 'The project that it belongs to.' }),
  name: StorableText.max(200).optional().meta({ description: 'What is in its name, in whatever case.' }),
  exactName: StorableText.optional().meta({ description: 'Its whole name.' }),
  id: idBeginning('exp').optional().meta({ description: 'How its id begins.' }),
  tag: StorableText.max(4000)
    .transform(readBy(readNames))
    .optional()
    .meta({
      description:
        'Tags that it has, all of them: with commas between, at most 20. One with a comma or a quote in it is written as ' +
        'a JSON string.',
    }),
  where: StorableText.max(4000)
    .transform(readBy(readConditions))
    .optional()
    .meta({
      description:
        'Conditions on last values of metrics, with commas between: `metric.valid_cost<0.3`. One that has not logged the ' +
        'metric does not fit.',
    }),
  sort: StorableText.max(400)
    .transform(readBy(readSort))
    .prefault('-created')
    .meta({
      description:
        '`created`, `ended`, `name`, `status` or `metric.NAME` (by its last value); with `-` before it descending. Those ' +
        'that have not ended, or have no number under that name, come last in either direction, the newest first.',
    }),
  metrics: StorableText.max(4000)
    .transform(readBy(readNames))
    .prefault('')
    .meta({ description: 'Metrics of which each item says the last value: names with commas between, at most 20.' }),
});
export type ExperimentQuery = z.infer<typeof ExperimentQuery>;
/** As it is written in a URL. */
export type ExperimentQueryInput = Omit<z.input<typeof ExperimentQuery>, 'limit'> & { readonly limit?: number };

/** Which datasets are listed: those that fit every part of the query. */
export const DatasetQuery = ListQuery.extend({
  exactName: StorableText.optional().meta({ description: 'Its whole name.' }),
  id: idBeginning('ds').optional().meta({ description: 'How its id begins.' }),
});
export type DatasetQuery = z.infer<typeof DatasetQuery>;
export type DatasetQueryInput = Omit<z.input<typeof DatasetQuery>, 'limit'> & { readonly limit?: number };

/** A sort as it is written in a URL. */
export function sortText({ by, isDescending }: ExperimentSort): string {
  return `${isDescending ? '-' : ''}${typeof by === 'string' ? by : `metric.${nameText(by.metric)}`}`;
}

function readSort(text: string): TextReading<ExperimentSort> {
  const isDescending = text.startsWith('-');
  const word = isDescending ? text.slice(1) : text;
  const metric = word.startsWith('metric.') ? readName(word.slice('metric.'.length)) : undefined;
  if (metric !== undefined) return { ok: true, value: { by: { metric }, isDescending } };
  const by = sorts.find((sort) => sort === word);
  if (by !== undefined) return { ok: true, value: { by, isDescending } };
  return {
    ok: false,
    says: 'a list is not sorted by that',
    remedy: `give ${sorts.join(', ')} or metric.NAME, with - before it to sort descending`,
  };
}

const sorts = ['created', 'ended', 'name', 'status'] as const;

function readStatuses(text: string): TextReading<ExperimentStatus[]> {
  const read = z.array(ExperimentStatus).safeParse(text.split(',').map((word) => word.trim()));
  if (read.success) return { ok: true, value: read.data };
  const known = ExperimentStatus.options.join(', ');
  return { ok: false, says: 'that is no status', remedy: `give some of ${known}, with commas between` };
}

/** Reads a text within a schema; what is wrong with it is said as a rule of the schema. */
function readBy<T>(reader: (text: string) => TextReading<T>) {
  return (text: string, context: z.core.$RefinementCtx<string>): T => {
    const reading = reader(text);
    if (reading.ok) return reading.value;
    const { says, remedy } = reading;
    context.issues.push({ code: 'custom', input: text, message: says, params: { remedy } });
    return z.NEVER;
  };
}
