import type { Variable } from '../graph/variable.js';

/** Names and tags of what rewriting has replaced, where what stands in has its own. */
export class Provenance {
  #standsFor = new Map<Variable, Set<Variable>>();

  /** The variables whose names and tags a variable of the new graph stands for: itself, and those that it replaced and that had any. */
  of(variable: Variable): readonly Variable[] {
    return [variable, ...(this.#standsFor.get(variable) ?? [])];
  }

  /** Has `result` stand in for `old`: it takes name and tag where it was made for that, and has none. */
  goesOn(old: Variable, result: Variable, isNew: boolean): void {
    if (old === result) return;
    const takesOver = isNew && result.name === undefined && result.tag.isEmpty;
    if (takesOver) result.takeOver(old);
    else if (old.name !== undefined || !old.tag.isEmpty) this.#add(result, old);
    this.copied(old, result);
  }

  /** Says that `copy`, which has the name and tag of `old`, stands for what that stood for. */
  copied(old: Variable, copy: Variable): void {
    if (old === copy) return;
    for (const one of this.#standsFor.get(old) ?? []) this.#add(copy, one);
  }

  /** Says that `standIn` was built in place of what stood for others. */
  follow(standIn: (variable: Variable) => Variable): void {
    const after = new Map<Variable, Set<Variable>>();
    for (const [variable, olds] of this.#standsFor) {
      const result = standIn(variable);
      after.set(result, new Set([...(after.get(result) ?? []), ...olds]));
    }
    this.#standsFor = after;
  }

  #add(result: Variable, old: Variable): void {
    const all = this.#standsFor.get(result);
    if (all === undefined) this.#standsFor.set(result, new Set([old]));
    else all.add(old);
  }
}
