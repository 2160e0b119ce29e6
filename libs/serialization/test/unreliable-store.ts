import type { WrittenFile } from '../src/durable-file.js';
import type { ListedObject, ObjectBody, ObjectStore, RegisterValue } from '../src/store/object-store.js';

/** What happens to a call: before it reaches the store, or after, when only its answer is lost. */
export type Fault = { readonly method: string; readonly when: 'before' | 'after'; readonly error: Error };

/** A real store, behind a connection that writes down what is asked and fails when told to. */
export class UnreliableStore implements ObjectStore {
  readonly calls: string[] = [];
  readonly #faults: Fault[] = [];
  readonly #hanging = new Map<string, () => void>();
  readonly #real: ObjectStore;

  constructor(real: ObjectStore) {
    this.#real = real;
  }

  get url(): string {
    return this.#real.url;
  }

  /** The next call of the method fails. */
  failNext(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** The next call of the method gets no answer. Resolves when it is made. */
  async hangNext(method: string): Promise<void> {
    await new Promise<void>((resolve) => this.#hanging.set(method, resolve));
  }

  /** Nothing fails any more. */
  forgetFaults(): void {
    this.#faults.length = 0;
  }

  /** @throws Error if a fault has not happened: then the test has shown nothing. */
  checkAllFailed(): void {
    const [fault] = this.#faults;
    if (fault !== undefined) throw new Error(`${fault.method} was to fail and was not called`);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#call('get', key, () => this.#real.get(key));
  }

  async download(key: string, path: string): Promise<WrittenFile | undefined> {
    return this.#call('download', key, () => this.#real.download(key, path));
  }

  async put(key: string, body: ObjectBody, options?: { readonly ifAbsent?: boolean }): Promise<WrittenFile> {
    return this.#call('put', key, () => this.#real.put(key, body, options));
  }

  async readRegister(key: string): Promise<RegisterValue | undefined> {
    return this.#call('readRegister', key, () => this.#real.readRegister(key));
  }

  async compareAndSet(key: string, expected: string | null, bytes: Uint8Array): Promise<string> {
    return this.#call('compareAndSet', key, () => this.#real.compareAndSet(key, expected, bytes));
  }

  list(prefix: string): AsyncIterable<ListedObject> {
    return this.#real.list(prefix);
  }

  async delete(keys: readonly string[]): Promise<void> {
    return this.#call('delete', keys.toSorted().join(' '), () => this.#real.delete(keys));
  }

  async #call<T>(method: string, key: string, perform: () => Promise<T>): Promise<T> {
    this.calls.push(`${method} ${key}`);
    const hang = this.#hanging.get(method);
    if (hang !== undefined) {
      this.#hanging.delete(method);
      hang();
      return await new Promise<never>(() => {});
    }
    const index = this.#faults.findIndex((fault) => fault.method === method);
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1);
    if (fault?.when === 'before') throw fault.error;
    const answer = await perform();
    if (fault?.when === 'after') throw fault.error;
    return answer;
  }
}
