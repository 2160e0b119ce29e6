import { z } from 'zod';

import { DatasetRole } from './experiment-spec.js';
import { DatasetId } from './ids.js';
import { StorableText } from './json.js';
import { readConditions, readName, readNames, nameText, type TextReading } from './metric-text.js';
import { Metric } from './metrics.js';
import { textLike } from './rule.js';
import { ExperimentStatus } from './status.js';
import { ExperimentView, ListQuery } from './views.js';

/** An experiment in a list. Its size does not grow with its parameters, its log, its attempts or its checkpoints. */
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
}).extend({
  /** Name of its program. */
  program: z.string(),
  /** Its datasets, by role. */
  datasets: z.record(DatasetRole, z.object({ id: DatasetId, name: z.string() })),
  /** Last values of the metrics that the query names; null of one that it has not logged. */
  metrics: z.record(z.string(), Metric.shape.last.nullable()),
});
export type ExperimentSummary = z.infer<typeof ExperimentSummary>;

/** One page of experiments; `nextCursor` asks for the following one, null at the end. */
export const ExperimentList = z.object({
  items: z.array(ExperimentSummary),
  nextCursor: z.string().nullable(),
  /** How many there are of each status among all that fit the query, whatever status it asks for. On the first page only; null on the others. */
  counts: z.record(ExperimentStatus, z.int().min(0)).nullable(),
});
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
  /** One status or several with commas between: `queued,running`. */
  status: StorableText.transform(readBy(readStatuses)).optional(),
  /** Name of the program. */
  program: StorableText.optional(),
  /** Name or id of a dataset that it uses, in whatever role. */
  dataset: StorableText.optional(),
  owner: StorableText.optional(),
  project: StorableText.optional(),
  /** What is in its name, in whatever case. */
  name: StorableText.max(200).optional(),
  /** Its whole name. */
  exactName: StorableText.optional(),
  /** How its id begins. */
  id: idBeginning('exp').optional(),
  /** Tags that it has, all of them: with commas between, at most 20. One with a comma or a quote in it is written as a JSON string. */
  tag: StorableText.max(4000).transform(readBy(readNames)).optional(),
  /** Conditions on last values of metrics, with commas between: `metric.valid_cost<0.3`. One that has not logged the metric does not fit. */
  where: StorableText.max(4000).transform(readBy(readConditions)).optional(),
  /**
   * `created`, `ended`, `name`, `status` or `metric.NAME` (by its last value); with `-` before it descending. Those that have not ended, or have no
   * number under that name, come last in either direction, the newest first.
   */
  sort: StorableText.max(400).transform(readBy(readSort)).prefault('-created'),
  /** Metrics of which each item says the last value: names with commas between, at most 20. */
  metrics: StorableText.max(4000).transform(readBy(readNames)).prefault(''),
});
export type ExperimentQuery = z.infer<typeof ExperimentQuery>;
/** As it is written in a URL. */
export type ExperimentQueryInput = Omit<z.input<typeof ExperimentQuery>, 'limit'> & { readonly limit?: number };

/** Which datasets are listed: those that fit every part of the query. */
export const DatasetQuery = ListQuery.extend({
  /** Its whole name. */
  exactName: StorableText.optional(),
  /** How its id begins. */
  id: idBeginning('ds').optional(),
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
