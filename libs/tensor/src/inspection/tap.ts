import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import type { Apply } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { tagKey } from '../graph/tag.js';
import { describe, type Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import { identity } from '../ops/identity.js';

/**
 * A new variable with the value of `x`, which each run of a compiled function that depends on it hands to `callback`: to look at what
 * is computed on the way, inside of updates and gradients too. Gradients flow through it. Blocks' `put_hook`.
 *
 * The values go to the callbacks once all are computed, one callback after the other, each awaited, in the order of the graph and
 * before shared variables are updated: where one throws, so does the run, and nothing is updated. A value belongs to its callback. It
 * costs what one more output costs. What is computed inside of a `scan` cannot be tapped; what the scan gives can.
 */
export function tap(x: Variable, callback: (value: NdArray) => void | Promise<void>): Variable {
  checkArguments('tap', ['x', x, 'variable'], ['callback', callback, 'function']);
  return watch(x, { of: (watched) => [watched], callback: (values) => callback(at(values, 0)) });
}

/** What each run computes of a variable, and whom it hands the values to. */
export interface Watch {
  /** What to compute, given the variable that is watched. */
  readonly of: (watched: Variable) => readonly Variable[];
  readonly callback: (values: readonly NdArray[]) => void | Promise<void>;
}

/** A new variable with the value of `x`, watched as {@link tap} does, of which only what `of` makes of it is handed over. */
export function watch(x: Variable, how: Watch): Variable {
  const watched = identity(x);
  // In the tag, which goes with copies of the graph: engines and rewrites need not know.
  watched.tag.set(WATCH, how);
  return watched;
}

/** Whether a variable is one that {@link watch} made, or stands for one. */
export function isWatched({ tag }: Variable): boolean {
  return tag.has(WATCH);
}

/** The values to compute for one {@link Watch}. */
export interface WatchedValues {
  readonly values: readonly Variable[];
  readonly callback: Watch['callback'];
}

/**
 * All that is watched of what `outputs` depend on, as far as `inputs`, in the order of the graph.
 *
 * @param order all of that, what is inside of inner graphs too
 * @throws Error naming what is watched inside of an inner graph
 */
export function watchesIn(
  name: string,
  outputs: readonly Variable[],
  inputs: readonly Variable[],
  order: readonly Apply[],
): WatchedValues[] {
  const found = order.filter(
    ({ op, outputs: [watched] }) =>
      // The tag alone says nothing: whatever stands in for a watched variable has it too.
      op.name === 'identity' && watched !== undefined && isWatched(watched),
  );
  if (found.length === 0) return [];
  const around = new Set(toposort(outputs, { blockers: inputs }));
  return found.flatMap((node) => {
    const watched = at(node.outputs, 0);
    const how = watched.tag.get(WATCH);
    if (how === undefined) return [];
    if (around.has(node)) return [{ values: how.of(watched), callback: how.callback }];
    throw new Error(
      `${name}: the copy of ${describe(at(node.inputs, 0))} is tapped inside of an op with a graph of its own, such as scan, from where no values come out; ` +
        'return it from the step, and tap what the scan gives',
    );
  });
}

const WATCH = tagKey<Watch>('watch');
