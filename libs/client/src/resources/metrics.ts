import { MetricList, MetricSeries } from '@longrun/contracts';

import type { ApiConnection } from '../api-connection.js';
import { experimentPath } from '../experiment-path.js';
import { queryText } from '../query-text.js';

/** What experiments have logged as numbers. Every method throws as those of {@link ApiConnection}. */
export class Metrics {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** The metrics that an experiment has by now. */
  async list(experiment: string, signal?: AbortSignal): Promise<MetricList> {
    return await this.#connection.json(MetricList, `${experimentPath(experiment)}/metrics`, { signal });
  }

  /** Points of a metric, at most so many; undefined: as many as the API gives. */
  async series(experiment: string, name: string, maxPoints?: number, signal?: AbortSignal): Promise<MetricSeries> {
    const path = `${experimentPath(experiment)}/metrics/${encodeURIComponent(name)}`;
    return await this.#connection.json(MetricSeries, `${path}?${queryText({ maxPoints })}`, { signal });
  }
}
