import { isDeepStrictEqual } from 'node:util';

import { shown } from '../shown.js';
import { type Json, StateMismatch, stateIn, type StatefulIterator, type VersionedState } from '../state.js';
import { DONE, given, Itertool } from './itertool.js';
import { iterate, type Source } from './iterate.js';

/**
 * Totals so far (CPython: `accumulate`): the first item, then `func(total, item)` for each further one; with `initial`, this
 * first. Without a function, sums.
 *
 * State: that of the source, and the total. This must be something that JSON carries, or a number.
 */
export function accumulate(source: Source<number>): StatefulIterator<number>;
export function accumulate<T>(source: Source<T>, func: (total: T, item: T) => T): StatefulIterator<T>;
export function accumulate<T, U>(
  source: Source<T>,
  func: (total: U, item: T) => U,
  options: { readonly initial: U },
): StatefulIterator<U>;
export function accumulate(
  source: Source<unknown>,
  func: (total: never, item: never) => unknown = (total: number, item: number) => total + item,
  options?: { readonly initial: unknown },
): StatefulIterator<unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the overloads say what goes with what
  return new Accumulate(iterate(source), func as (total: unknown, item: unknown) => unknown, options);
}

class Accumulate extends Itertool<unknown> {
  readonly #source: StatefulIterator<unknown>;
  readonly #func: (total: unknown, item: unknown) => unknown;
  readonly #options: { readonly initial: unknown } | undefined;
  #total: { readonly value: unknown } | undefined;

  constructor(
    source: StatefulIterator<unknown>,
    func: (total: unknown, item: unknown) => unknown,
    options: { readonly initial: unknown } | undefined,
  ) {
    super('accumulate');
    this.#source = source;
    this.#func = func;
    this.#options = options;
  }

  protected advance(): IteratorResult<unknown, undefined> {
    if (this.#total === undefined && this.#options !== undefined) {
      this.#total = { value: this.#options.initial };
      return given(this.#total.value);
    }
    const step = this.#source.next();
    if (step.done) return DONE;
    this.#total = { value: this.#total === undefined ? step.value : this.#func(this.#total.value, step.value) };
    return given(this.#total.value);
  }

  protected fields() {
    return { source: this.#source.state(), total: this.#total === undefined ? null : saved(this.#total.value) };
  }

  protected load(state: VersionedState): void {
    const total = loaded(state['total']);
    this.#source.restore(stateIn(this.kind, state, 'source'));
    this.#total = total;
  }
}

/** JSON as it is; the numbers that it has not, by name. */
function saved(total: unknown): Json {
  if (Object.is(total, -0)) return { number: '-0' };
  if (typeof total === 'number' && !Number.isFinite(total)) return { number: String(total) };
  const text = JSON.stringify(total) as string | undefined;
  const json: Json | undefined = text === undefined ? undefined : JSON.parse(text);
  if (json !== undefined && isDeepStrictEqual(json, total)) return { json };
  throw new TypeError(
    `accumulate: the total ${String(total)} cannot be saved as JSON; let the function give numbers, strings, lists or plain objects of them`,
  );
}

function loaded(total: Json | undefined): { readonly value: unknown } | undefined {
  if (total === null) return undefined;
  if (typeof total === 'object' && 'json' in total) return { value: total['json'] };
  if (typeof total === 'object' && 'number' in total) return { value: Number(total['number']) };
  throw new StateMismatch(`accumulate: the saved state has total ${shown(total)}; the checkpoint is damaged`);
}
