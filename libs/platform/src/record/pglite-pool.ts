import { setImmediate } from 'node:timers/promises';

import type { PGlite } from '@electric-sql/pglite';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';

/**
 * PGlite as the pool that Kysely's PostgreSQL dialect wants. PGlite is one session, so the pool has one client, and
 * whoever wants it waits for it. (Kysely 0.28 has no dialect for PGlite.)
 */
export class PglitePool implements PostgresPool {
  readonly #pglite: PGlite;
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  async connect(): Promise<PostgresPoolClient> {
    if (this.#taken) await this.#turn();
    this.#taken = true;
    // PGlite computes between two turns of the event loop: without one in between, whatever else is ready would wait for it.
    await setImmediate();
    return new PgliteClient(this.#pglite, () => this.#release());
  }

  async end(): Promise<void> {
    await this.#pglite.close();
  }

  #release(): void {
    const next = this.#waiting.shift();
    // The client passes on directly: between two holders nobody else may slip in.
    if (next === undefined) this.#taken = false;
    else next();
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const grant = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(grant), 1);
        reject(
          new Error(
            `The embedded record was busy for ${TURN_TIMEOUT_MS / 1000} s; a transaction that asks the record outside itself waits for ever`,
          ),
        );
      }, TURN_TIMEOUT_MS);
      this.#waiting.push(grant);
    });
  }
}

class PgliteClient implements PostgresPoolClient {
  readonly #pglite: PGlite;
  readonly release: () => void;

  constructor(pglite: PGlite, release: () => void) {
    this.#pglite = pglite;
    this.release = release;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    text: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof text !== 'string') throw new Error('The embedded record has no cursors; read in pages');
    return this.#query<R>(text, parameters);
  }

  async #query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    const { rows, affectedRows = 0 } = await this.#pglite.query<R>(text, [...parameters]);
    // Kysely reads the number of rows only of commands that change some.
    return { command: commandOf(text), rowCount: affectedRows, rows };
  }
}

function commandOf(text: string): PostgresQueryResult<unknown>['command'] {
  const word = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase();
  return word === 'INSERT' || word === 'UPDATE' || word === 'DELETE' || word === 'MERGE' ? word : 'SELECT';
}

const TURN_TIMEOUT_MS = 60_000;
