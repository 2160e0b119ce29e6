import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Only a checkpoint beyond this step begins a new row of losses. */
export const progressStep: Migration = {
  name: '0010-progress-step',
  statements: [
    sql`alter table lives add column progress_step bigint not null default 0`,
    sql`update lives set progress_step = checkpoint.step
      from (select id, max(step) as step from checkpoints group by id) checkpoint
      where lives.id = checkpoint.id and lives.phase <> 'ended'`,
  ],
};
