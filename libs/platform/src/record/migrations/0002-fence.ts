import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** The number that fences a writer is its fence; an epoch is a pass over the data only. Steps and events outgrow 32 bits. */
export const fence: Migration = {
  name: '0002-fence',
  statements: [
    sql`alter table lives rename column epoch to fence`,
    sql`alter table lives alter column last_event type bigint`,
    sql`alter table attempts rename column epoch to fence`,
    sql`alter table attempts
      alter column start_step type bigint, alter column last_step type bigint,
      alter column steps_run type bigint, alter column last_seq type bigint`,
    sql`alter table checkpoints rename column epoch to fence`,
    sql`alter table checkpoints alter column step type bigint`,
    sql`alter table events alter column event type bigint`,
    sql`update events set data = (data - 'epoch') || jsonb_build_object('fence', data -> 'epoch')
      where type in ('attempt_started', 'attempt_ended', 'checkpoint')`,
    sql`alter table log_rows alter column step type bigint`,
  ],
};
