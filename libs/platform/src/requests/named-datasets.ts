import type { FaultOf } from '@longrun/contracts';
import type { Transaction } from 'kysely';

import type { Tables } from '../record/tables.js';
import type { DatasetInRole } from './datasets-in-roles.js';
import { thoseThere } from './life-reading.js';
import { nameUnknown } from './names.js';

type SpecFault = FaultOf<'invalid-request'>;

/** Names or ids of datasets, by role. */
type ByRole = Readonly<Record<string, string>>;

/** The datasets that specs of experiments name, by name or id, as they stand in a transaction. */
export class NamedDatasets {
  readonly #rows: readonly Candidate[];
  /** Names that can be given; read only when a spec gives one that cannot. */
  readonly #usableNames: readonly string[];

  private constructor(rows: readonly Candidate[], usableNames: readonly string[]) {
    this.#rows = rows;
    this.#usableNames = usableNames;
  }

  static async find(transaction: Transaction<Tables>, references: readonly ByRole[]): Promise<NamedDatasets> {
    const namesOrIds = [...new Set(references.flatMap((byRole) => Object.values(byRole)))];
    const found = await transaction
      .selectFrom('datasets')
      .innerJoin('lives', 'lives.id', 'datasets.id')
      .select(['datasets.id', 'datasets.name', 'datasets.current', 'lives.phase', 'lives.message'])
      .where((where) => where.or([where('datasets.id', 'in', namesOrIds), where('datasets.name', 'in', namesOrIds)]))
      .where('lives.deletedAt', 'is', null)
      .orderBy('lives.place', 'desc')
      .execute();
    const usable = found.filter(({ current }) => current).map(({ id }) => id);
    const there = await thoseThere(transaction, usable);
    const rows = found.filter(({ id, current }) => !current || there.has(id));
    const allFound = namesOrIds.every((nameOrId) => rows.some((row) => isMeant(row, nameOrId)));
    return new NamedDatasets(rows, allFound ? [] : await readUsableNames(transaction));
  }

  /**
   * Datasets in their roles, or what is wrong with which of them.
   *
   * @param isShort whether the spec gives one, as `dataset`
   */
  of(references: ByRole, isShort: boolean): { ok: true; found: DatasetInRole[] } | { ok: false; faults: SpecFault[] } {
    const found: DatasetInRole[] = [];
    const faults: SpecFault[] = [];
    for (const [role, nameOrId] of Object.entries(references)) {
      const meant = this.#rows.filter((row) => isMeant(row, nameOrId));
      const usable = meant.find(({ current }) => current);
      if (usable !== undefined) {
        found.push({ role, id: usable.id, name: usable.name, phase: usable.phase });
        continue;
      }
      const path = isShort ? ['dataset'] : ['datasets', role];
      const [failed] = meant;
      if (failed === undefined) faults.push(nameUnknown('dataset', nameOrId, this.#usableNames, path));
      else faults.push({ path, code: 'dataset-failed', facts: { dataset: nameOrId, message: failed.message } });
    }
    return faults.length === 0 ? { ok: true, found } : { ok: false, faults };
  }
}

type Candidate = Pick<Tables['datasets'], 'id' | 'name'> &
  Pick<Tables['lives'], 'phase' | 'message'> & { readonly current: boolean };

function isMeant({ id, name }: Candidate, nameOrId: string): boolean {
  return id === nameOrId || name === nameOrId;
}

async function readUsableNames(transaction: Transaction<Tables>): Promise<string[]> {
  const rows = await transaction
    .selectFrom('datasets')
    .select('name')
    .where('current', '=', true)
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}
