import type { Variable } from '../graph/variable.js';
import type { Match } from './pattern.js';

/** Why another variable cannot stand in for what a match gives without changing bits; undefined where it can. */
export function placedByScan({ old, view }: Match, result?: Variable): string | undefined {
  const isPlaced = old.outputs.some((output) => view.isRow(output)) || (result !== undefined && view.isRow(result));
  return isPlaced ? 'an engine may sum by where an array lies, and steps of a scan write it' : undefined;
}
