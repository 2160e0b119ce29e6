import { z } from 'zod';

import { ExperimentId } from './ids.js';
import { StorableText } from './json.js';
import { rule } from './rule.js';

/** A number as log rows carry it: NaN and the infinities by their names. */
const LoggedNumber = z.union([z.number(), z.literal(['NaN', 'Infinity', '-Infinity'])]);
const Step = z.int().min(0);
const Extreme = z.object({ value: z.number(), step: Step });

/** What an experiment has logged as numbers under one name. What a later attempt has superseded does not count. */
export const Metric = z.object({
  name: z.string(),
  /** Steps at which it was logged. */
  count: z.int().min(1),
  /** How many of the values are NaN or infinite. */
  nonFinite: z.int().min(0),
  /** The value at the highest step. */
  last: LoggedNumber,
  lastStep: Step,
  /** The smallest finite value, at its first step; null when none is finite. */
  min: Extreme.nullable(),
  /** The largest finite value, at its first step; null when none is finite. */
  max: Extreme.nullable(),
});
export type Metric = z.infer<typeof Metric>;

/** The metrics of an experiment, by name. */
export const MetricList = z.object({ items: z.array(Metric) });
export type MetricList = z.infer<typeof MetricList>;

/**
 * Points of a metric by step, all or thinned. The steps are cut into ranges of equal length, of each of which the smallest and the largest finite value are
 * kept, and the first that is NaN or infinite; so are the first and the last point. Columns of equal length.
 */
export const MetricSeries = z.object({
  experiment: ExperimentId,
  name: z.string(),
  /** Points that there are, and how many of them are NaN or infinite. */
  count: z.int().min(0),
  nonFinite: z.int().min(0),
  /** Ascending. */
  steps: z.array(Step),
  values: z.array(LoggedNumber),
});
export type MetricSeries = z.infer<typeof MetricSeries>;

/** One metric of several experiments, in the order in which they were asked for; without points where one has not logged it. */
export const MetricSeriesList = z.object({ items: z.array(MetricSeries) });
export type MetricSeriesList = z.infer<typeof MetricSeriesList>;

/** The query of a series. */
export const SeriesQuery = z.strictObject({
  /** Points of each series at most, 10 to 100,000. */
  maxPoints: z.coerce.number().int().min(10).max(100_000).default(1000),
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;

/** Experiments in one question, at most. */
const MAX_EXPERIMENTS = 200;

/** The query of one metric of several experiments. */
export const SeriesListQuery = SeriesQuery.extend({
  /** Ids, with commas between, at most 200. */
  experiments: StorableText.transform((text) => text.split(',').map((id) => id.trim())).pipe(
    z
      .array(z.string())
      .refine(
        (ids) => ids.every((id) => ExperimentId.safeParse(id).success),
        rule('not every entry is an experiment id', 'give whole ids with commas between'),
      )
      .refine((ids) => ids.length <= MAX_EXPERIMENTS, rule('it has too many ids', `give at most ${MAX_EXPERIMENTS}`)),
  ),
});
export type SeriesListQuery = z.infer<typeof SeriesListQuery>;

/** Name of a metric in a path. */
export const MetricName = StorableText.min(1);
