import { CompiledQuery, type QueryResult, type Transaction } from 'kysely';

import type { Tables } from './tables.js';

/** Columns of a table by their names here, with their types in SQL. */
export type ColumnTypes<Name extends string = string> = Readonly<Record<Name, string>>;

/**
 * Rows in one parameter, as JSON: `from ${recordset('$1', 'r', columns)}`. The text of a statement over it is the same for
 * any number of rows. Its columns have their names in the database; rows their names here.
 */
export function recordset(parameter: string, alias: string, columns: ColumnTypes): string {
  const typed = Object.entries(columns).map(([name, type]) => `"${name}" ${type}`);
  const renamed = Object.keys(columns).map((name) => `"${name}" as ${columnName(name)}`);
  return `(select ${renamed.join(', ')} from json_to_recordset(${parameter}::json) as _(${typed.join(', ')})) as ${alias}`;
}

/** The columns' names in the database, as a list. */
export function columnList(columns: ColumnTypes, alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  return Object.keys(columns)
    .map((name) => prefix + columnName(name))
    .join(', ');
}

/** `one = r.one, other = r.other`. */
export function assignments(columns: ColumnTypes, alias: string): string {
  return Object.keys(columns)
    .map((name) => `${columnName(name)} = ${alias}.${columnName(name)}`)
    .join(', ');
}

/** Runs a statement whose text is constant. */
export async function run<R>(
  transaction: Transaction<Tables>,
  text: string,
  ...parameters: readonly unknown[]
): Promise<QueryResult<R>> {
  return transaction.executeQuery<R>(CompiledQuery.raw(text, [...parameters]));
}

/** `lastEvent` is `last_event` in the database. */
function columnName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
