import type { Phase } from '@longrun/contracts';
import { sql } from 'kysely';

/** A dataset of an experiment, and where it stands. */
export interface DatasetInRole {
  readonly role: string;
  readonly id: string;
  readonly name: string;
  readonly phase: Phase;
}

/**
 * The datasets of the experiment in `lives`: for each row that is answered. Subselects by key, and not a join, so that a record whose
 * tables were never analyzed has no plan but the lookups.
 */
export const datasetsInRoles = sql<DatasetInRole[]>`(
  select coalesce(json_agg(json_build_object('role', used.role, 'id', used.dataset_id,
    'name', (select dataset.name from datasets dataset where dataset.id = used.dataset_id),
    'phase', (select dataset.phase from lives dataset where dataset.id = used.dataset_id)) order by used.role), '[]')
  from experiment_datasets used where used.id = lives.id)`;
