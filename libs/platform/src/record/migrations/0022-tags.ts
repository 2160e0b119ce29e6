import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Tags in rows of their own, in the order of their experiments, so that lists are filtered by them. */
export const tags: Migration = {
  name: '0022-tags',
  statements: [
    sql`create table experiment_tags (
      tag text not null,
      place bigint not null references experiments (place) on delete cascade,
      primary key (tag, place)
    )`,
    sql`create index experiment_tags_place on experiment_tags (place)`,
    sql`insert into experiment_tags (tag, place)
      select distinct t.tag, e.place from experiments e, jsonb_array_elements_text(e.spec -> 'tags') as t (tag)`,
  ],
};
