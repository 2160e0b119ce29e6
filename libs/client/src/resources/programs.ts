import { ProgramList, ProgramView } from '@longrun/contracts';

import type { ApiConnection } from '../api-connection.js';
import { queryText } from '../query-text.js';

/** `/v1/programs`. Every method throws as those of {@link ApiConnection}. */
export class Programs {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** Publishes a module as the newest program of a name. */
  async publish(
    name: string,
    { sha256, module }: { readonly sha256: string; readonly module: Uint8Array },
  ): Promise<ProgramView> {
    const path = `${PATH}/${sha256}?${queryText({ name })}`;
    const request = { method: 'PUT', body: module, timeoutMs: PUBLISHED_WITHIN_MS } as const;
    return await this.#connection.json(ProgramView, path, request);
  }

  /** @param reference its name, or `name@` and the beginning of its SHA-256 */
  async get(reference: string): Promise<ProgramView> {
    return await this.#connection.json(ProgramView, `${PATH}/${encodeURIComponent(reference)}`);
  }

  /** One page, last published first: of each name the newest. */
  async list(query: { readonly cursor?: string; readonly limit?: number } = {}): Promise<ProgramList> {
    return await this.#connection.json(ProgramList, `${PATH}?${queryText(query)}`);
  }
}

const PATH = '/v1/programs';

/** On a busy machine a program takes its time to be imported, which the API bounds itself. */
const PUBLISHED_WITHIN_MS = 300_000;
