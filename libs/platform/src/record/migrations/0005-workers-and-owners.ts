import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Who works and with what, to whom things belong, and who changed what. */
export const workersAndOwners: Migration = {
  name: '0005-workers-and-owners',
  statements: [
    sql`create table workers (
      id text primary key,
      kind text not null check (kind in ('experiment', 'dataset')),
      host text not null,
      version text not null,
      labels jsonb not null,
      slots integer not null,
      threads integer not null,
      memory_bytes bigint not null,
      devices jsonb not null,
      status text not null check (status in ('ready', 'draining', 'quarantined')),
      status_reason text,
      reported_status text not null,
      attempts jsonb not null,
      alive boolean not null,
      first_seen_at timestamptz not null,
      last_seen_at timestamptz not null
    )`,
    sql`create index workers_seen on workers (last_seen_at desc)`,

    sql`alter table lives add column owner text not null default 'default', add column project text not null default 'default'`,

    sql`create table audit (
      number bigint generated always as identity primary key,
      at timestamptz not null default now(),
      actor text not null,
      action text not null,
      subject text not null,
      before jsonb,
      after jsonb
    )`,
    sql`create index audit_subject on audit (subject, number)`,
  ],
};
