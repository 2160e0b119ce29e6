import type { Json } from '@longrun/contracts';

/** What a column of a table holds. A `moment` is ISO 8601 in UTC, `json` what has no simpler form: lists, empty objects. */
export type CellKind = 'text' | 'integer' | 'number' | 'boolean' | 'moment' | 'json' | 'null';

/** One value of a table. */
export type Cell =
  | { readonly kind: 'text' | 'moment' | 'json'; readonly value: string }
  | { readonly kind: 'integer' | 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null'; readonly value: null };

/** A column of a table. */
export interface Column {
  readonly name: string;
  /** Of all its cells that are not null; `text` where they differ. */
  readonly kind: CellKind;
}

/** A row: cells by the names of their columns, those that it has. */
export type Row = ReadonlyMap<string, Cell>;

/** The cell of a JSON value. */
export function cellOf(value: Json): Cell {
  if (value === null) return { kind: 'null', value };
  if (typeof value === 'string') return { kind: 'text', value };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  if (typeof value === 'number') return { kind: Number.isSafeInteger(value) ? 'integer' : 'number', value };
  return { kind: 'json', value: JSON.stringify(value) };
}

/** The kind of a column that has cells of both. */
export function commonKind(one: CellKind, other: CellKind): CellKind {
  if (one === other || other === 'null') return one;
  if (one === 'null') return other;
  const isNumeric = [one, other].every((kind) => kind === 'integer' || kind === 'number');
  return isNumeric ? 'number' : 'text';
}
