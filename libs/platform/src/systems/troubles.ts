/** What does not go, and is tried with each look: it is to be said once, not with each look. */
export class Troubles {
  /** What was said last, by what it is of. */
  readonly #said = new Map<string, string>();

  /** Whether that is to be said: it was not what was said last. */
  isNew(what: string, trouble: string): boolean {
    const before = this.#said.get(what);
    this.#said.set(what, trouble);
    return before !== trouble;
  }

  /** It went. */
  over(what: string): void {
    this.#said.delete(what);
  }
}
