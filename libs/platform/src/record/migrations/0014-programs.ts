import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Programs are published, and each experiment has the very one that was meant when it was submitted. Null of one from before. */
export const programs: Migration = {
  name: '0014-programs',
  statements: [
    sql`create table programs (
      name text not null,
      sha256 text not null,
      place bigserial unique,
      size_bytes integer not null,
      description text not null,
      params jsonb not null,
      libraries jsonb not null,
      published_at timestamptz not null,
      primary key (name, sha256)
    )`,
    sql`create index programs_sha256 on programs (sha256)`,
    sql`create index programs_newest on programs (name, place desc)`,
    sql`alter table experiments add column program_sha256 text`,
  ],
};
