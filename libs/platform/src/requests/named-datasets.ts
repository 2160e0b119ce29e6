import type { FaultOf } from '@longrun/contracts';
import type { Transaction } from 'kysely';

import { run } from '../record/bulk.js';
import type { LifeRow, Tables } from '../record/tables.js';
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
    let rows = await readCandidates(transaction, namesOrIds);
    for (let held: ReadonlySet<string> | undefined; ;) {
      const usable = [...new Set(rows.filter(isUsable).map(({ id }) => id))];
      if (held !== undefined && usable.every((id) => held?.has(id))) break;
      held = await thoseThere(transaction, usable);
      // While somebody else held them a name may have got another meaning; from now on none of these loses its own.
      rows = await readCandidates(transaction, namesOrIds);
    }
    const allFound = namesOrIds.every((nameOrId) => rows.some((row) => means(row, nameOrId)));
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
      const usable = this.#rows.find((row) => means(row, nameOrId));
      if (usable !== undefined) {
        found.push({ role, id: usable.id, name: usable.name, phase: usable.phase });
        continue;
      }
      const path = isShort ? ['dataset'] : ['datasets', role];
      const newest = this.#rows.find((row) => isCalled(row, nameOrId));
      if (newest === undefined || isUsable(newest))
        faults.push(nameUnknown('dataset', nameOrId, this.#usableNames, path));
      else faults.push({ path, code: 'dataset-failed', facts: { dataset: nameOrId, message: newest.message } });
    }
    return faults.length === 0 ? { ok: true, found } : { ok: false, faults };
  }
}

/** A dataset that has an id or name which specs give, or that was found to be the same as one that has. */
interface Candidate extends Pick<Tables['datasets'], 'id' | 'name'>, Pick<LifeRow, 'phase' | 'reason' | 'message'> {
  /** The one that has it. */
  readonly called: string;
  readonly current: boolean;
}

/** The newest first. */
async function readCandidates(transaction: Transaction<Tables>, namesOrIds: readonly string[]): Promise<Candidate[]> {
  const { rows } = await run<Candidate>(transaction, CANDIDATES_TEXT, namesOrIds);
  return rows;
}

/** By the name of one that was found to be the same as another nobody means it: that one has the name. */
const CANDIDATES_TEXT = `select d.id, d.name, d.current, l.phase, l.reason, l.message, called.id as called
  from (
    select found.id, life.place, coalesce(life.result ->> 'sameAs', found.id) as meant
    from datasets found join lives life on life.id = found.id
    where (found.id = any($1::text[]) or found.name = any($1::text[]))
      and life.deleted_at is null and (life.result ->> 'sameAs' is null or found.id = any($1::text[]))
  ) called
  join datasets d on d.id = called.meant
  join lives l on l.id = called.meant
  where l.deleted_at is null
  order by called.place desc`;

/** By its id whatever is ready, or may yet be, can be used: what has used it goes on with it. */
function isUsable({ phase, reason }: Candidate): boolean {
  return phase !== 'ended' || reason === 'succeeded';
}

function isCalled({ called, name }: Candidate, nameOrId: string): boolean {
  return called === nameOrId || name === nameOrId;
}

/** Whether an id or name can be given for a dataset: a name only for the one that is current. */
function means(row: Candidate, nameOrId: string): boolean {
  return isUsable(row) && (row.called === nameOrId || (row.name === nameOrId && row.current));
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
