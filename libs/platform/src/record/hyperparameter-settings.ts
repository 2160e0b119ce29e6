import type { HyperparameterSetting } from '@longrun/contracts';
import type { Kysely } from 'kysely';

import type { HyperparameterSettingRow, Tables } from './tables.js';

/** Of these experiments, what is to be set and nobody has said yet that it is. */
export async function pendingSettings(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, HyperparameterSetting[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('hyperparameterSettings')
    .selectAll()
    .where('step', 'is', null)
    .where('id', 'in', ids)
    .execute();
  const byId = new Map<string, HyperparameterSetting[]>();
  for (const row of rows.toSorted((a, b) => a.number - b.number))
    byId.set(row.id, [...(byId.get(row.id) ?? []), settingOf(row)]);
  return byId;
}

/** All that was set of an experiment, and is to be, in its order. */
export async function settingsOf(db: Kysely<Tables>, id: string): Promise<HyperparameterSettingRow[]> {
  return db.selectFrom('hyperparameterSettings').selectAll().where('id', '=', id).orderBy('number').execute();
}

/** As it is said to workers. */
export function settingOf({ number, hyperparameters: values, step }: HyperparameterSettingRow): HyperparameterSetting {
  return { number, values, step };
}
