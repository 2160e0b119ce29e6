import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Log rows once, in columns apart from the events; which attempt wrote the outcome, and which have said their end. */
export const series: Migration = {
  name: '0006-series',
  statements: [
    sql`create table log_chunks (
      id text not null references lives,
      chunk bigint not null,
      fence integer not null,
      first_step bigint not null,
      last_step bigint not null,
      valid_to bigint,
      row_count integer not null,
      size_bytes integer not null,
      steps bigint[] not null,
      events bigint[] not null,
      times bigint[] not null,
      primary key (id, chunk)
    )`,
    sql`create index log_chunks_steps on log_chunks (id, first_step)`,
    sql`create table log_columns (
      id text not null,
      chunk bigint not null,
      name text not null,
      numbers float8[] not null,
      others jsonb,
      primary key (id, chunk, name),
      foreign key (id, chunk) references log_chunks on delete cascade
    )`,
    // Chunks are merged where they lie: numbers are not turned into text and back.
    sql`create aggregate concatenated(float8[]) (sfunc = array_cat, stype = float8[])`,
    sql`create aggregate concatenated(bigint[]) (sfunc = array_cat, stype = bigint[])`,
    sql`alter table attempts
      add column said_end boolean not null default false,
      add column small_chunks integer not null default 0`,
    sql`alter table lives add column outcome_fence integer`,
    sql`update lives set outcome_fence = (select max(fence) from attempts where attempts.id = lives.id and reason = 'succeeded')
      where reason = 'succeeded'`,

    // What the scheduler and the reconciler ask for, again and again.
    sql`create index lives_enqueued on lives (id) where enqueued`,
    sql`create index lives_not_before on lives (not_before) where phase = 'queued' and not_before is not null`,
    sql`create index experiments_dataset on experiments (dataset_id)`,

    // Rows and lines had no attempt: theirs is the first that ran after the last end before them.
    sql`create temporary table placed_events on commit drop as
      select e.id, e.event, e.type, e.at, e.data, coalesce(
        (select min(a.fence) from attempts a
          where a.id = e.id and a.started_at is not null and a.fence > coalesce(e.ended, 0)),
        e.ended, 1) as fence
      from (
        select id, event, type, at, data,
          max((data ->> 'fence')::integer) filter (where type = 'attempt_ended') over (partition by id order by event) as ended
        from events
      ) e
      where e.type in ('log_row', 'line')`,
    sql`update events set data = events.data || jsonb_build_object('fence', p.fence)
      from placed_events p
      where p.type = 'line' and events.id = p.id and events.event = p.event and not events.data ? 'fence'`,
    sql`create temporary table placed_rows on commit drop as
      select r.*, min(event) over (partition by id, fence, piece) as chunk,
        row_number() over (partition by id, fence, piece order by event) - 1 as index
      from (
        select id, event, fence, (data ->> 'step')::bigint as step, floor(extract(epoch from at) * 1000)::bigint as time,
          data -> 'row' as "row", (row_number() over (partition by id, fence order by event) - 1) / 1024 as piece
        from placed_events where type = 'log_row'
      ) r`,
    sql`insert into log_chunks
        (id, chunk, fence, first_step, last_step, valid_to, row_count, size_bytes, steps, events, times)
      select r.id, r.chunk, r.fence, r.first_step, r.last_step,
        (select min(a.start_step) from attempts a
          where a.id = r.id and a.fence > r.fence and a.start_step < r.last_step),
        r.row_count, r.size_bytes, r.steps, r.events, r.times
      from (
        select id, chunk, fence, min(step) as first_step, max(step) as last_step, count(*) as row_count,
          sum(length("row"::text)) as size_bytes, array_agg(step order by index) as steps,
          array_agg(event order by index) as events, array_agg(time order by index) as times
        from placed_rows group by id, chunk, fence
      ) r`,
    sql`insert into log_columns (id, chunk, name, numbers, others)
      select v.id, v.chunk, v.name,
        array_agg(case when v.number then (v.value #>> '{}')::float8 end order by v.index),
        jsonb_object_agg(v.index::text, v.value) filter (where v.value is not null and not v.number)
      from (
        select r.id, r.chunk, r.index, n.name, r."row" -> n.name as value,
          coalesce(jsonb_typeof(r."row" -> n.name) = 'number'
            or r."row" -> n.name in ('"NaN"', '"Infinity"', '"-Infinity"'), false) as number
        from (select distinct id, chunk, jsonb_object_keys("row") as name from placed_rows) n
          join placed_rows r using (id, chunk)
      ) v
      group by v.id, v.chunk, v.name`,
    sql`delete from events where type = 'log_row'`,
    sql`drop table log_rows`,
  ],
};
