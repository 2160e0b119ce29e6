import { z } from 'zod';

import { ExperimentId, Step } from './ids.js';
import { StorableText } from './json.js';
import { rule } from './rule.js';

const LoggedNumber = z
  .union([z.number(), z.literal(['NaN', 'Infinity', '-Infinity'])])
  .meta({ description: 'A number as log rows carry it: NaN and the infinities by their names.' });
const Extreme = z
  .object({
    value: z.number().meta({ description: 'The value.' }),
    step: Step.meta({ description: 'The first step at which it was logged.' }),
  })
  .meta({ description: 'A finite value, and where it was logged first.' });

export const Metric = z
  .object({
    name: z.string().meta({ description: 'Its name in the log, such as `valid_cost`.' }),
    count: z.int().min(1).meta({ description: 'Steps at which it was logged.' }),
    nonFinite: z.int().min(0).meta({ description: 'How many of the values are NaN or infinite.' }),
    last: LoggedNumber.meta({ description: 'The value at the highest step.' }),
    lastStep: Step.meta({ description: 'The highest step at which it was logged.' }),
    min: Extreme.nullable().meta({
      description: 'The smallest finite value, at its first step; null when none is finite.',
    }),
    max: Extreme.nullable().meta({
      description: 'The largest finite value, at its first step; null when none is finite.',
    }),
  })
  .meta({
    description:
      'What an experiment has logged as numbers under one name. What a later attempt has superseded does not count.',
  });
export type Metric = z.infer<typeof Metric>;

export const MetricList = z
  .object({ items: z.array(Metric).meta({ description: 'The metrics, by name.' }) })
  .meta({ description: 'The metrics of an experiment, by name.' });
export type MetricList = z.infer<typeof MetricList>;

export const MetricSeries = z
  .object({
    experiment: ExperimentId,
    name: z.string().meta({ description: 'Name of the metric.' }),
    count: z.int().min(0).meta({ description: 'Points that there are, before thinning.' }),
    nonFinite: z.int().min(0).meta({ description: 'How many of them are NaN or infinite.' }),
    steps: z.array(Step).meta({ description: 'Steps of the points, ascending.' }),
    values: z.array(LoggedNumber).meta({ description: 'Values of the points, in the order of `steps`.' }),
  })
  .meta({
    description:
      'Points of a metric by step, all or thinned. The steps are cut into ranges of equal length, of each of which the ' +
      'smallest and the largest finite value are kept, and the first that is NaN or infinite; so are the first and the ' +
      'last point. Columns of equal length.',
  });
export type MetricSeries = z.infer<typeof MetricSeries>;

export const MetricSeriesList = z
  .object({ items: z.array(MetricSeries).meta({ description: 'One series for each experiment.' }) })
  .meta({
    description:
      'One metric of several experiments, in the order in which they were asked for; without points where one has not ' +
      'logged it.',
  });
export type MetricSeriesList = z.infer<typeof MetricSeriesList>;

/** The query of a series. */
export const SeriesQuery = z.strictObject({
  maxPoints: z.coerce
    .number()
    .int()
    .min(10)
    .max(100_000)
    .default(1000)
    .meta({ description: 'Points of each series at most, 10 to 100,000.' }),
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;

/** Experiments in one question, at most. */
const MAX_EXPERIMENTS = 200;

/** The query of one metric of several experiments. */
export const SeriesListQuery = SeriesQuery.extend({
  experiments: StorableText.transform((text) => text.split(',').map((id) => id.trim()))
    .pipe(
      z
        .array(z.string())
        .refine(
          (ids) => ids.every((id) => ExperimentId.safeParse(id).success),
          rule('not every entry is an experiment id', 'give whole ids with commas between'),
        )
        .refine((ids) => ids.length <= MAX_EXPERIMENTS, rule('it has too many ids', `give at most ${MAX_EXPERIMENTS}`)),
    )
    .meta({ description: 'Ids of experiments, with commas between, at most 200.' }),
});
export type SeriesListQuery = z.infer<typeof SeriesListQuery>;

export const MetricName = StorableText.min(1).meta({ description: 'Name of a metric, such as `valid_cost`.' });
