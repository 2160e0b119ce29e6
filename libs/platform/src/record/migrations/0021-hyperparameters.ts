import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Hyperparameters are set while experiments train. */
export const hyperparameters: Migration = {
  name: '0021-hyperparameters',
  statements: [
    sql`alter table attempts add column hyperparameters jsonb`,
    sql`create table hyperparameter_settings (
      id text not null references lives (id),
      number integer not null,
      hyperparameters jsonb not null,
      at timestamptz not null,
      step bigint,
      primary key (id, number)
    )`,
    sql`create index hyperparameter_settings_pending on hyperparameter_settings (id) where step is null`,
  ],
};
