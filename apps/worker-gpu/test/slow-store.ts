import { type ObjectStore, StoreAround, type StoreOperation, type TransferOptions } from '@longrun/serialization';

/** A store that moves no file of some keys, either way, until it is told. */
export class SlowStore extends StoreAround {
  isWaitedFor = false;
  release: () => void = () => {};
  readonly #released: Promise<void>;
  readonly #isSlow: (key: string) => boolean;

  /** @param isSlow of a key */
  constructor(store: ObjectStore, isSlow: (key: string) => boolean) {
    super(store);
    this.#released = new Promise<void>((resolve) => (this.release = resolve));
    this.#isSlow = isSlow;
  }

  slows({ method, keys }: StoreOperation): boolean {
    return (method === 'put' || method === 'download') && keys.some(this.#isSlow);
  }

  protected override async around<T>(
    operation: StoreOperation,
    options: TransferOptions,
    perform: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    if (this.slows(operation)) {
      this.isWaitedFor = true;
      await this.#released;
    }
    return await perform(options);
  }
}
