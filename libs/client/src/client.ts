import { ApiConnection, type ApiConnectionOptions } from './api-connection.js';
import { FileReading } from './file-reading.js';
import { Checkpoints } from './resources/checkpoints.js';
import { Datasets } from './resources/datasets.js';
import { Experiments } from './resources/experiments.js';
import { Metrics } from './resources/metrics.js';
import { Programs } from './resources/programs.js';
import { Sessions } from './resources/sessions.js';
import { Workers } from './resources/workers.js';

/**
 * Talks to the API: what there is of each resource, as `client.experiments.submit(spec)`. Every method throws ApiProblem when the API refuses,
 * ApiUnreachable when it does not answer, NotLongrun when what answers is no such API.
 */
export class Client {
  readonly experiments: Experiments;
  readonly datasets: Datasets;
  readonly metrics: Metrics;
  readonly checkpoints: Checkpoints;
  readonly programs: Programs;
  readonly workers: Workers;
  readonly sessions: Sessions;
  /** The files of checkpoints and datasets, each by its path. */
  readonly files: FileReading;
  /** Address of the API. */
  readonly url: string;

  constructor(options: ApiConnectionOptions) {
    const connection = new ApiConnection(options);
    this.url = connection.url;
    this.experiments = new Experiments(connection);
    this.datasets = new Datasets(connection);
    this.metrics = new Metrics(connection);
    this.checkpoints = new Checkpoints(connection);
    this.programs = new Programs(connection);
    this.workers = new Workers(connection);
    this.sessions = new Sessions(connection);
    this.files = new FileReading(connection);
  }
}
