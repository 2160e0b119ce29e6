import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** What lists are filtered, sorted and counted by, in narrow rows; and what logs say under each name. */
export const metrics: Migration = {
  name: '0015-metrics',
  statements: [
    // What a row has beyond so many bytes is kept apart from it: that is the spec, which lists do not read.
    sql`alter table experiments set (toast_tuple_target = 128)`,
    sql`alter table experiments
      add column program text,
      add column place bigint,
      add column owner text,
      add column project text,
      add column status text,
      add column ended_at timestamptz`,
    sql`update experiments e set
        program = e.spec ->> 'program', place = l.place, owner = l.owner, project = l.project, ended_at = l.ended_at,
        status = case when l.phase <> 'ended' then l.phase when l.reason in ('succeeded', 'cancelled') then l.reason else 'failed' end
      from lives l where l.id = e.id`,
    sql`alter table experiments
      alter column program set not null,
      alter column place set not null,
      alter column owner set not null,
      alter column project set not null,
      alter column status set not null`,
    sql`create unique index experiments_place on experiments (place)`,
    sql`create index experiments_status on experiments (status, place)`,
    sql`create index experiments_name on experiments (name, place)`,
    sql`create index experiments_ended on experiments (ended_at, place)`,
    sql`create index datasets_any_name on datasets (name)`,

    sql`alter table log_columns add column digest bytea`,
    sql`create table metrics (
      id text not null references lives,
      name text not null,
      count bigint not null,
      non_finite bigint not null,
      last float8 not null,
      last_step bigint not null,
      min float8,
      min_step bigint,
      max float8,
      max_step bigint,
      primary key (id, name)
    )`,
    sql`create index metrics_last on metrics (name, last, id)`,
    // Of the rows of one step the one that came last counts, of the latest attempt.
    sql`insert into metrics (id, name, count, non_finite, last, last_step, min, min_step, max, max_step)
      select v.id, v.name, count(*), count(*) filter (where not v.finite),
        (array_agg(v.number order by v.step desc))[1], max(v.step),
        min(v.number) filter (where v.finite), (array_agg(v.step order by v.number, v.step) filter (where v.finite))[1],
        max(v.number) filter (where v.finite), (array_agg(v.step order by v.number desc, v.step) filter (where v.finite))[1]
      from (
        select distinct on (c.id, k.name, p.step) c.id, k.name, p.step, p.number,
          p.number > '-Infinity'::float8 and p.number < 'Infinity'::float8 as finite
        from log_chunks c join log_columns k using (id, chunk),
          unnest(c.steps, c.events, k.numbers) as p (step, event, number)
        where p.number is not null and (c.valid_to is null or p.step <= c.valid_to)
        order by c.id, k.name, p.step, c.fence desc, p.event desc
      ) v
      group by v.id, v.name`,
  ],
};
