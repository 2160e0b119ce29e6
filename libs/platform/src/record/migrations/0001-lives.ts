import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Experiments, datasets, their attempts, events and logs. */
export const lives: Migration = {
  name: '0001-lives',
  statements: [
    sql`create table lives (
      id text primary key,
      kind text not null check (kind in ('experiment', 'dataset')),
      place bigint generated always as identity,
      priority integer not null,
      retry jsonb not null,
      phase text not null check (phase in ('queued', 'running', 'ended')),
      reason text check ((phase = 'ended') = (reason is not null)),
      message text,
      result jsonb,
      ending jsonb,
      epoch integer not null default 0,
      enqueued boolean not null default false check (not enqueued or phase = 'queued'),
      queue_rank integer,
      not_before timestamptz,
      failures integer not null default 0,
      preemptions integer not null default 0,
      cancel_requested boolean not null default false,
      progress jsonb,
      last_event integer not null default 0,
      submitted_at timestamptz not null,
      started_at timestamptz,
      ended_at timestamptz
    )`,
    sql`create unique index lives_place on lives (kind, place desc)`,
    sql`create index lives_queue on lives (kind, priority desc, place) where phase = 'queued'`,
    sql`create index lives_running on lives (id) where phase = 'running'`,
    sql`create index lives_ending on lives (id) where ending is not null`,

    sql`create table datasets (
      id text primary key references lives,
      name text not null,
      spec jsonb not null,
      current boolean not null default true
    )`,
    sql`create unique index datasets_name on datasets (name) where current`,

    sql`create table experiments (
      id text primary key references lives,
      name text not null,
      spec jsonb not null,
      dataset_id text not null references datasets
    )`,

    sql`create table attempts (
      id text not null references lives,
      epoch integer not null,
      status text not null check (status in ('enqueued', 'running', 'ended')),
      worker_id text,
      enqueued_at timestamptz not null,
      started_at timestamptz,
      ended_at timestamptz,
      reason text check ((status = 'ended') = (reason is not null)),
      message text,
      start_step integer,
      last_step integer,
      steps_run integer,
      peak_memory_bytes bigint,
      engine text,
      environment jsonb,
      restored_from text,
      rejected_checkpoints jsonb,
      last_seq integer not null default 0,
      primary key (id, epoch)
    )`,

    sql`create table checkpoints (
      id text not null references lives,
      epoch integer not null,
      step integer not null,
      size_bytes bigint not null,
      at timestamptz not null,
      primary key (id, step, epoch)
    )`,

    sql`create table events (
      id text not null references lives,
      event integer not null,
      type text not null,
      at timestamptz not null,
      data jsonb not null,
      primary key (id, event)
    )`,

    sql`create table log_rows (
      id text not null references lives,
      step integer not null,
      "row" jsonb not null,
      primary key (id, step)
    )`,

    sql`create table ingest_cursors (stream text primary key, cursor text not null)`,

    sql`create table idempotency_keys (
      kind text not null,
      key text not null,
      request_sha256 text not null,
      id text not null references lives,
      at timestamptz not null,
      primary key (kind, key)
    )`,
  ],
};
