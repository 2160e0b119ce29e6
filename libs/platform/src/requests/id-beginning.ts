import { type RawBuilder, sql } from 'kysely';

/**
 * Whether an id begins so, its kind left out or not: a range of ids of full length, which every collation sorts alike and an index finds.
 *
 * @param kind `exp` or `ds`
 */
export function idBegins(id: RawBuilder<unknown>, kind: 'exp' | 'ds', beginning: string): RawBuilder<boolean> {
  const digits = beginning.startsWith(`${kind}_`) ? beginning.slice(kind.length + 1) : beginning;
  const filled = (digit: string): string => `${kind}_${digits.padEnd(ID_DIGITS, digit)}`;
  return sql<boolean>`${id} between ${filled('0')} and ${filled('f')}`;
}

const ID_DIGITS = 32;
