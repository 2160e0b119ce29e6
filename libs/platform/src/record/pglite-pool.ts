import type { PGlite } from '@electric-sql/pglite';
import type { PostgresPool, PostgresPoolClient } from 'kysely';

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
    const client = {
      query: async (text: string, parameters: readonly unknown[]) => this.#pglite.query(text, [...parameters]),
      release: () => this.#release(),
    };
    // Kysely's type also has the cursor of streamed queries, which nobody uses here.
    return client as unknown as PostgresPoolClient;
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
            `The embedded record was busy for ${turnTimeoutMs / 1000} s; a transaction that asks the record outside itself waits for ever`,
          ),
        );
      }, turnTimeoutMs);
      this.#waiting.push(grant);
    });
  }
}

const turnTimeoutMs = 60_000;
