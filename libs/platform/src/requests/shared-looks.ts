/** Looks at something by a key, each shared by all who have asked before it begins: nobody is told what was before he asked. */
export class SharedLooks<T> {
  readonly #look: (key: string) => Promise<T>;
  /** Each resolves when a look has ended, however it did. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<T>>();

  constructor(look: (key: string) => Promise<T>) {
    this.#look = look;
  }

  async look(key: string): Promise<T> {
    const shared = this.#next.get(key);
    if (shared !== undefined) return await shared;
    const running = this.#running.get(key);
    if (running === undefined) return await this.#begin(key);
    const next = running.then(async () => {
      this.#next.delete(key);
      return await this.#begin(key);
    });
    this.#next.set(key, next);
    return await next;
  }

  async #begin(key: string): Promise<T> {
    const look = this.#look(key);
    this.#running.set(key, this.#ended(key, look));
    return await look;
  }

  async #ended(key: string, look: Promise<T>): Promise<void> {
    await Promise.allSettled([look]);
    this.#running.delete(key);
  }
}
