import type { TransferOptions } from '../src/store/object-store.js';
import { StoreAround, type StoreOperation } from '../src/store/store-around.js';

/** What happens to a call: before it reaches the store, or after, when only its answer is lost. */
export type Fault = { readonly method: string; readonly when: 'before' | 'after'; readonly error: Error };

/** A real store, behind a connection that writes down what is asked, listing aside, and fails when told to. */
export class UnreliableStore extends StoreAround {
  readonly calls: string[] = [];
  /** How many objects it was asked to list. */
  listed = 0;
  readonly #faults: Fault[] = [];
  readonly #hanging = new Map<string, () => void>();
  readonly #before = new Map<string, () => Promise<void>>();

  /** The next call of the method fails. */
  failNext(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** The next call of the method gets no answer. Resolves when it is made. */
  async hangNext(method: string): Promise<void> {
    await new Promise<void>((resolve) => this.#hanging.set(method, resolve));
  }

  /** Something happens before the next call of the method reaches the store. */
  beforeNext(method: string, work: () => Promise<void>): void {
    this.#before.set(method, work);
  }

  /** Nothing fails any more. */
  forgetFaults(): void {
    this.#faults.length = 0;
  }

  /** @throws Error if a fault has not happened: then the test has shown nothing. */
  checkAllFailed(): void {
    const [fault] = this.#faults;
    if (fault !== undefined) throw new Error(`${fault.method} was to fail and was not called`);
    const [method] = this.#before.keys();
    if (method !== undefined) throw new Error(`${method} was to be preceded by something and was not called`);
  }

  protected override async around<T>(
    { method, keys }: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (method === 'list') {
      this.listed += 1;
      return await perform(options);
    }
    this.calls.push(`${method} ${keys.toSorted().join(' ')}`);
    const hang = this.#hanging.get(method);
    if (hang !== undefined) {
      this.#hanging.delete(method);
      hang();
      return await new Promise<never>(() => {});
    }
    const before = this.#before.get(method);
    this.#before.delete(method);
    await before?.();
    const index = this.#faults.findIndex((fault) => fault.method === method);
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1);
    if (fault?.when === 'before') throw fault.error;
    const answer = await perform(options);
    if (fault?.when === 'after') throw fault.error;
    return answer;
  }
}
