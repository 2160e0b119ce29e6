import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Users preempt attempts, and retry and pause experiments. */
export const verbs: Migration = {
  name: '0016-verbs',
  statements: [
    sql`alter table attempts add column preempt_requested boolean not null default false`,
    sql`alter table lives add column budget_fence integer not null default 0`,
    sql`alter table lives add column reopening boolean not null default false`,
    sql`create index lives_reopening on lives (id) where reopening`,
    sql`alter table lives add column pause_requested boolean not null default false`,
    sql`alter table lives drop constraint lives_phase_check`,
    sql`alter table lives add constraint lives_phase_check check (phase in ('queued', 'running', 'paused', 'ended'))`,
  ],
};
