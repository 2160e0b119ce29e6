import {
  ExperimentId,
  MetricList,
  MetricName,
  MetricSeries,
  MetricSeriesList,
  SeriesListQuery,
  SeriesQuery,
} from '@longrun/contracts';
import { Platform } from '@longrun/platform';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Answers } from '../openapi/answers.js';

const THINNED =
  'All of them or, where there are more than `maxPoints`, a selection: the steps are cut into ranges of equal length, and of each the smallest and the largest ' +
  'finite value are kept, and the first that is NaN or infinite; so are the first and the last point. `count` and `nonFinite` say how many there are. Points that a later ' +
  'attempt has superseded are not among them.';

@Controller('v1')
export class MetricsController {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  @Get('experiments/:id/metrics')
  @ApiOperation({
    summary: 'What an experiment has logged as numbers, by name',
    description:
      'The last value, the smallest and the largest, each with its step, of all that has been logged by now and was not superseded.',
    tags: ['metrics'],
  })
  @Answers({ description: 'The metrics.', schema: MetricList, problems: ['invalid-parameter', 'not-found'] })
  listMetrics(@Param('id', { schema: ExperimentId }) id: string): Promise<MetricList> {
    return this.#platform.metrics.list(id);
  }

  @Get('experiments/:id/metrics/:name')
  @ApiOperation({ summary: 'Points of a metric, by step', description: THINNED, tags: ['metrics'] })
  @Answers({ description: 'The points.', schema: MetricSeries, problems: ['invalid-parameter', 'not-found'] })
  readSeries(
    @Param('id', { schema: ExperimentId }) id: string,
    @Param('name', { schema: MetricName }) name: string,
    @Query({ schema: SeriesQuery }) { maxPoints }: SeriesQuery,
  ): Promise<MetricSeries> {
    return this.#platform.metrics.series(id, name, maxPoints);
  }

  @Get('metrics/:name')
  @ApiOperation({ summary: 'Points of one metric of several experiments', description: THINNED, tags: ['metrics'] })
  @Answers({
    description: 'The points of each experiment, in the order of the query; none where it has not logged the metric.',
    schema: MetricSeriesList,
    problems: ['invalid-parameter', 'not-found'],
  })
  readManySeries(
    @Param('name', { schema: MetricName }) name: string,
    @Query({ schema: SeriesListQuery }) { experiments, maxPoints }: SeriesListQuery,
  ): Promise<MetricSeriesList> {
    return this.#platform.metrics.seriesOf(experiments, name, maxPoints);
  }
}
