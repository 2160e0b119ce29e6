import { formatType } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';

/** That a rewrite fired, or matched and was refused. */
export interface Rewriting {
  /** Name of the rewrite. */
  readonly rewrite: string;
  /** What it was to stand in for, with its type. */
  readonly output: string;
  /** Why not: a sentence without its full stop; undefined where it fired. */
  readonly refused: string | undefined;
}

/** What rewrites did to a graph, in order. Prints itself. */
export class RewriteHistory {
  readonly #entries: Rewriting[] = [];
  readonly #refusals = new Set<string>();

  get entries(): readonly Rewriting[] {
    return this.#entries;
  }

  /** How often each rewrite fired, by its name. */
  get fired(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { rewrite, refused } of this.#entries) {
      if (refused === undefined) counts.set(rewrite, (counts.get(rewrite) ?? 0) + 1);
    }
    return counts;
  }

  fires(rewrite: string, output: Variable): void {
    this.#entries.push({ rewrite, output: shown(output), refused: undefined });
  }

  /** Once for each reason at each output, however often it is looked at. */
  refuses(rewrite: string, output: Variable, reason: string): void {
    const key = `${rewrite} ${shown(output)} ${reason}`;
    if (this.#refusals.has(key)) return;
    this.#refusals.add(key);
    this.#entries.push({ rewrite, output: shown(output), refused: reason });
  }

  toString(): string {
    return this.lines().join('\n');
  }

  /** What fired, and what did not for which reason, each with how often. */
  lines(): string[] {
    const refusals = new Map<string, number>();
    for (const { rewrite, refused } of this.#entries) {
      if (refused === undefined) continue;
      const line = `${rewrite}: ${refused}`;
      refusals.set(line, (refusals.get(line) ?? 0) + 1);
    }
    return [
      ...[...this.fired].map(([name, count]) => `rewritten ${count} times: ${name}`),
      ...[...refusals].map(([line, count]) => `not rewritten ${count} times: ${line}`),
    ];
  }
}

function shown(variable: Variable): string {
  return `\`${variable.toString()}\` ${formatType(variable.type)}`;
}
