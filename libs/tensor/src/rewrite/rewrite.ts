import type { Variable } from '../graph/variable.js';
import type { Match, OpPattern } from './pattern.js';

/** A rule by which one form stands in for another: data, which {@link rewritten} applies. */
export interface Rewrite {
  /** As `explain()` has it, and the options of `compile`: a noun for what it makes or takes away. */
  readonly name: string;
  /** What is replaced. */
  readonly pattern: OpPattern;
  /** Why what is as the pattern has it stays all the same: a sentence without its full stop; undefined where it is replaced. Default: it is. */
  readonly check?: (match: Match) => string | undefined;
  /**
   * What stands in for the outputs of the application, one for each, undefined for one that nothing uses; undefined in place of all where there turns
   * out to be nothing to replace.
   */
  readonly replacement: (match: Match) => Variable | readonly (Variable | undefined)[] | undefined;
}
