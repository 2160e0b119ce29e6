import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** An experiment has datasets by role. The one that each had until now is for training. */
export const datasetRoles: Migration = {
  name: '0007-dataset-roles',
  statements: [
    sql`create table experiment_datasets (
      id text not null references experiments,
      role text not null,
      dataset_id text not null references datasets,
      primary key (id, role)
    )`,
    sql`create index experiment_datasets_dataset on experiment_datasets (dataset_id)`,
    sql`insert into experiment_datasets (id, role, dataset_id) select id, 'train', dataset_id from experiments`,
    sql`create index lives_failed_datasets on lives (id)
      where kind = 'dataset' and phase = 'ended' and reason <> 'succeeded'`,
    sql`alter table experiments drop column dataset_id`,
  ],
};
