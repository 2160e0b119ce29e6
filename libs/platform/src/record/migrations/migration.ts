import type { RawBuilder } from 'kysely';

/** One step of the schema. Once released it is never changed: a correction is a further migration. */
export interface Migration {
  /** `0001-…`: numbered without gaps; the table of applied ones holds it. */
  readonly name: string;
  /** Run in order, all in one transaction. */
  readonly statements: readonly RawBuilder<unknown>[];
}
