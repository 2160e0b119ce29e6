import { type DrainRequest, WorkerList, WorkerView } from '@longrun/contracts';

import type { ApiConnection } from '../api-connection.js';

/** `/v1/workers`. Every method throws as those of {@link ApiConnection}. */
export class Workers {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** Those that are alive or were seen in the last day. */
  async list(): Promise<WorkerList> {
    return await this.#connection.json(WorkerList, PATH);
  }

  /** Has one finish what it runs and take no further job. */
  async drain(id: string, reason?: string): Promise<WorkerView> {
    const body: DrainRequest = reason === undefined ? {} : { reason };
    return await this.#connection.json(WorkerView, `${PATH}/${encodeURIComponent(id)}/drain`, { method: 'POST', body });
  }

  /** Lets one take jobs again. */
  async release(id: string): Promise<WorkerView> {
    return await this.#connection.json(WorkerView, `${PATH}/${encodeURIComponent(id)}/release`, { method: 'POST' });
  }
}

const PATH = '/v1/workers';
